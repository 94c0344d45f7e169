import json
from collections import Counter

from mmray.config.reading.load import load_config
from mmray.data.manifest.normalise import normalise
from mmray.features.build import build_extractor
from mmray.features.extractor import extract_batch
from mmray.features.fit import fit_extractor
from tests.support.table import read_table
from tests.support.two_photos import write_two_photos
from tests.support.workflow import CONFIGS


def test_the_document_for_two_photos_and_a_table_reads_its_corpus(tmp_path):
    path = write_two_photos(tmp_path, samples=60)
    config = load_config(CONFIGS / "photos_table.yaml", [f"data.manifest={path}"])

    manifest = normalise(read_table(str(path)), config)

    assert config.modality_order() == ("front_camera", "side_camera", "table")
    assert manifest.references["front_camera"][0] == "photos/0000-front.png"
    assert 0 < manifest.references["side_camera"].count(None) < 20
    assert json.loads(manifest.references["table"][1])["weight_g"] == {
        "unreadable": "'heavy' is not a number"
    }

    rows = [reference.encode() for reference in manifest.references["table"]]
    fit_extractor(config.modalities["table"], rows, tmp_path / "state")
    extracted = extract_batch(build_extractor(config.modalities["table"], tmp_path / "state"), rows)

    assert Counter(extracted.reasons) == {"": 59, "table_bad_number": 1}
    assert extracted.details[1] == "weight_g: 'heavy' is not a number"
