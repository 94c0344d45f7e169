"""Parts seen by two cameras, with a row of a table each; every source holds a third of the grade.

python -m tests.support.two_photos FOLDER
"""

import csv
import sys
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from tests.support.payload import encode_image

COLUMNS = (
    "sample_id", "front", "side", "weight_g", "length_mm", "supplier", "made_at", "stations",
    "grade",
)  # fmt: skip
MISSING_SHARE = 0.1
FRONT_COLOURS = ((60, 60, 190), (190, 60, 50))
SIDE_COLOURS = ((230, 230, 230), (40, 40, 40))
SUPPLIERS = ("north", "south", "east")
STATIONS = ("saw", "drill", "polish", "paint")


def write_two_photos(folder, samples=600, seed=5):
    """Write photos and ``manifest.csv`` below ``folder`` and return the manifest's path.

    The grade counts what is right: a red front, a dark side, a weight above 150 g. A tenth of the
    photos and cells is missing; the first photo is broken and the second weight is no number.
    """
    generator = np.random.default_rng(seed)
    folder = Path(folder)
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    rows = [_write_part(folder, number, generator) for number in range(samples)]
    (folder / "photos" / "0000-front.png").write_bytes(b"\x89PNG broken")
    rows[0]["front"], rows[1]["weight_g"] = "photos/0000-front.png", "heavy"
    path = folder / "manifest.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def _write_part(folder, number, generator):
    is_red, is_dark, is_heavy = (int(half) for half in generator.integers(0, 2, 3))
    name = f"{number:04d}"
    colours = {"front": FRONT_COLOURS[is_red], "side": SIDE_COLOURS[is_dark]}
    for camera, colour in colours.items():
        _write_photo(folder / "photos" / f"{name}-{camera}.png", colour, generator)
    hours = int(generator.integers(0, 24 * 365))
    stations = generator.choice(STATIONS, size=generator.integers(1, 6))
    weight = 150 + (1 if is_heavy else -1) * generator.lognormal(2.5, 1)
    row = {
        "front": f"photos/{name}-front.png",
        "side": f"photos/{name}-side.png",
        "weight_g": f"{weight:.2f}",
        "length_mm": f"{generator.normal(80, 3):.1f}",
        "supplier": generator.choice(SUPPLIERS, p=(0.6, 0.38, 0.02)),
        "made_at": (datetime(2024, 1, 1) + timedelta(hours=hours)).isoformat(),
        "stations": "|".join(stations),
    }
    row = {column: "" if generator.random() < MISSING_SHARE else row[column] for column in row}
    return {"sample_id": name, "grade": f"g{is_red + is_dark + is_heavy}"} | row


def _write_photo(path, colour, generator):
    background = generator.normal(140, 12, (64, 64, 3)).clip(0, 255).astype(np.uint8)
    image = Image.fromarray(background)
    left, top = generator.integers(4, 24, 2)
    width, height = generator.integers(28, 36, 2)
    ImageDraw.Draw(image).ellipse((left, top, left + width, top + height), fill=colour)
    path.write_bytes(encode_image(image))


if __name__ == "__main__":
    print(write_two_photos(*sys.argv[1:2]))
