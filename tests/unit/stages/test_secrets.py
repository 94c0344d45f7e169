"""What is stored and printed of a document and a corpus that hold passwords and signatures."""

import json
import stat
import sys

import pytest

from mmray.cli.console import set_up_logging
from mmray.cli.workflow import run_stages
from mmray.config.reading.load import storable
from mmray.core.rejection import Rejection
from mmray.core.report import Report
from mmray.errors import ClusterError
from mmray.features.payloads.remote_version import VERSIONS, RemoteVersions
from mmray.stages import prepare
from mmray.stages.marker import finish
from tests.support.document import make_config
from tests.support.web import serve

SECRET = "pLanTed7"
MANIFEST = "manifest.parquet"


def signed(uri):
    return f"{uri}?X-Amz-Signature={SECRET}&part=1"


def lines(uri):
    rows = [
        {"photo": signed(f"{uri}/{n}.png"), "label": "cat" if n % 2 else "dog"} for n in range(8)
    ]
    return "\n".join(json.dumps(row) for row in rows).encode()


def make_signed(web, workspace):
    return make_config(
        workspace=str(workspace),
        data={"manifest": signed(f"{web.uri}/m.jsonl"), "allow": [f"{web.uri}/"],
              "split": {"train": 0.5, "val": 0.25, "test": 0.25}},
        modalities={"image": {"column": "photo"}},
        tracking={"uri": f"sqlite:///{workspace}/mlflow.db?timeout=10&token={SECRET}"},
    )  # fmt: skip


def files_with_the_secret(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return {path for path in files if SECRET.encode() in path.read_bytes()}


@pytest.mark.filterwarnings("ignore:Query string argument")  # of the planted one
def test_prepare_keeps_signatures_only_where_they_are_needed_and_there_for_the_user(
    tmp_path, capsys
):
    set_up_logging(quiet=False, verbose=False)
    with serve({}) as web:
        web.answers[f"/m.jsonl?{signed('').lstrip('?')}"] = lines(web.uri)

        run_stages(make_signed(web, tmp_path), [prepare.run])

    (manifest,) = tmp_path.rglob(MANIFEST)
    # Compressed, so that a search for the text may miss it.
    assert stat.S_IMODE(manifest.stat().st_mode) == 0o600
    assert files_with_the_secret(tmp_path) <= {manifest}
    printed = capsys.readouterr()
    assert SECRET not in printed.out + printed.err
    assert "prepare" in printed.err


def test_a_manifest_without_secrets_is_open_to_whom_the_workspace_is(tmp_path):
    (tmp_path / "m.jsonl").write_text(
        "\n".join(json.dumps({"note": f"a{n}", "label": "ab"[n % 2]}) for n in range(8))
    )
    config = make_config(
        workspace=str(tmp_path / "w"),
        data={"manifest": str(tmp_path / "m.jsonl"),
              "split": {"train": 0.5, "val": 0.25, "test": 0.25}},
        tracking={"uri": "memory://"},
    )  # fmt: skip

    run_stages(config, [prepare.run])

    (manifest,) = tmp_path.rglob(MANIFEST)
    assert stat.S_IMODE(manifest.stat().st_mode) & 0o044


def test_versions_of_signed_payloads_are_for_the_user_alone_and_others_are_open(tmp_path):
    for name, uri in (("signed", signed("https://h/a.png")), ("open", "https://h/a.png")):
        versions = RemoteVersions()
        versions._known[uri] = "1"
        (tmp_path / name).mkdir()

        versions.save(tmp_path / name)

    assert stat.S_IMODE((tmp_path / "signed" / VERSIONS).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "open" / VERSIONS).stat().st_mode) & 0o044


def test_a_manifest_that_cannot_be_reached_is_named_without_its_signature(tmp_path):
    from mmray.errors import ManifestError

    with serve({}) as web, pytest.raises(ManifestError) as raised:
        run_stages(make_signed(web, tmp_path), [prepare.run])

    assert "m.jsonl" in str(raised.value)
    assert SECRET not in str(raised.value)


def test_what_a_stage_and_a_bundle_write_of_the_document_holds_no_password(tmp_path):
    config = make_config(tracking={"uri": f"postgresql://me:{SECRET}@db.example/mlflow"})
    report = Report("train", "f", str(tmp_path), 1.0, found=(f"sent to http://a:{SECRET}@h/",))

    finish(tmp_path, report, config)

    assert not files_with_the_secret(tmp_path)
    assert "postgresql://***@db.example/mlflow" in json.dumps(storable(config))


def test_errors_and_rejections_hold_no_secret_wherever_they_go():
    uri = signed(f"https://me:{SECRET}@h/a.png")

    assert SECRET not in str(ClusterError(f"cannot reach {uri}", where=uri, hint=f"try {uri}"))
    assert SECRET not in Rejection("unreachable", f"{uri}: no answer").detail


def test_the_traceback_of_a_bug_holds_no_secret(capsys):
    set_up_logging(quiet=True, verbose=False)
    try:
        raise ValueError(f"no scheme in {signed('https://h/a.png')}")
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)

    printed = capsys.readouterr().err
    assert "ValueError: no scheme in https://h/a.png" in printed
    assert SECRET not in printed
