import pytest

from mmray.core.file.suffix import kind_of_name
from mmray.core.kind import Kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a/b.JPG", Kind.IMAGE),
        ("note.txt", Kind.TEXT),
        ("s3://pets/cat.flac", Kind.AUDIO),
        ("clip.tar.mp4", Kind.VIDEO),
        ("cat", None),
        ("a.jpg/cat", None),
        (".jpg", None),
        ("cat.xyz", None),
    ],
)
def test_the_end_of_a_name_tells_its_kind(name, kind):
    assert kind_of_name(name) == kind
