"""What a workspace holds, read without mmray, and how two of them differ."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def contents(workspace: Path) -> dict[str, pa.Table]:
    """Return per modality the current rows, read as docs/reference/features.md says."""
    found = {}
    for folder in sorted(workspace.glob("features/*/*/_SUCCESS.json")):
        folder = folder.parent
        if not (folder / "index.parquet").is_file():
            continue  # what was fitted
        index = pq.read_table(folder / "index.parquet")
        starts, tables, start = {}, [], 0
        for shard in sorted(folder.glob("shard-*.parquet")):
            table = pq.read_table(shard).replace_schema_metadata(None)
            starts[shard.name], start = start, start + len(table)
            tables.append(table)
        places = pa.array(
            [
                None if shard is None else starts[shard] + row
                for shard, row in zip(
                    index["shard"].to_pylist(), index["row"].to_pylist(), strict=True
                )
            ]
        )
        rows = pa.concat_tables(tables).take(places)
        if rows["sample_id"] != index["sample_id"] or rows["key"] != index["key"]:
            raise SystemExit(f"the index of {folder} does not lead to its samples")
        found[folder.parent.name] = rows.sort_by("sample_id")
    return found


def differences(expected: pa.Table, found: pa.Table) -> dict[str, int]:
    """Count the rows that are lost, repeated and different."""
    here = found["sample_id"].to_pylist()
    wanted = dict(zip(expected["sample_id"].to_pylist(), range(len(expected)), strict=True))
    if found.equals(expected):
        return {"compared": len(expected)}
    different = sum(
        sample not in wanted or found.slice(row, 1) != expected.slice(wanted[sample], 1)
        for row, sample in enumerate(here)
    )
    return {
        "compared": len(expected),
        "lost": len(wanted.keys() - set(here)),
        "repeated": len(here) - len(set(here)),
        "different": different,
    }
