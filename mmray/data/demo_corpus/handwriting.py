"""Photos of handwritten digits. Axes: H W image."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

WIDTH_PX, HEIGHT_PX = 320, 240
TEXTURES = 4
FAINT_SHARE = 0.2
"""Share of the photos whose ink is so faint that they are nearly lost."""

Pixels = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scans:
    """The 1,797 scanned digits of scikit-learn."""

    pixels: Pixels
    """Ink from 0 to 1, shape (scans, 8, 8)."""
    digits: NDArray[np.int64]
    """The digit of each scan, 0 to 9."""


def load_scans() -> Scans:
    """Read the digits that scikit-learn ships."""
    from sklearn.datasets import load_digits  # heavy: half a second

    inks, digits = load_digits(return_X_y=True)
    pixels = np.asarray(inks, dtype=np.float32).reshape(-1, 8, 8) / np.float32(16)
    return Scans(pixels, np.asarray(digits, dtype=np.int64))


def make_textures(rng: np.random.Generator) -> Pixels:
    """Return paper grain around zero, shape (TEXTURES, 2 H, 2 W)."""
    grains = [_grain(rng) for _ in range(TEXTURES)]
    return np.stack(grains)


def take_photo(scan: Pixels, textures: Pixels, *, rng: np.random.Generator) -> bytes:
    """Return a JPEG of ``scan`` (8, 8) written on paper and badly photographed."""
    ink = _place_on_paper(scan, rng)  # (H, W)
    paper_colour, ink_colour = _choose_colours(rng)
    ink = np.maximum(ink, _draw_strokes(rng, count=rng.integers(0, 4), width_px=(3, 9)))
    ink = ink * (1 - _draw_strokes(rng, count=rng.integers(0, 3), width_px=(6, 14)))
    strength = rng.uniform(0.06, 0.16) if rng.random() < FAINT_SHARE else rng.uniform(0.55, 0.95)
    opacity = (ink * strength)[..., None]  # (H, W, 1)
    photo = paper_colour * (1 - opacity) + ink_colour * opacity  # (H, W, 3)
    photo = photo * _light(rng)[..., None] + _crop(textures, rng)[..., None]
    return _expose(photo.astype(np.float32), rng)


def _grain(rng: np.random.Generator) -> Pixels:
    """Return fine and coarse paper grain, shape (2 H, 2 W)."""
    shape = (2 * HEIGHT_PX, 2 * WIDTH_PX)
    fine = rng.normal(0, 0.02, shape)
    small = rng.uniform(0, 255, (shape[0] // 20, shape[1] // 20)).astype(np.uint8)
    coarse = Image.fromarray(small).resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return (fine + (np.asarray(coarse) / 255.0 - 0.5) * 0.15).astype(np.float32)


def _place_on_paper(scan: Pixels, rng: np.random.Generator) -> Pixels:
    """Turn, stretch, slant and move the scan onto the sheet: ink from 0 to 1, shape (H, W)."""
    sheet = Image.fromarray((np.pad(scan, 2) * 255).astype(np.uint8))
    angle = np.deg2rad(rng.normal(0, 12))
    size_px = rng.uniform(125, 165, 2) * rng.uniform(0.9, 1.1) / 8  # of one scanned pixel
    slant = rng.normal(0, 0.1)
    turn = np.array([[np.cos(angle), np.sin(angle) + slant], [-np.sin(angle), np.cos(angle)]])
    inverse = turn / size_px[:, None]
    centre = np.array([WIDTH_PX, HEIGHT_PX]) / 2 + rng.uniform(-18, 18, 2)
    offset = np.array([6.0, 6.0]) - inverse @ centre
    matrix = (*inverse[0], offset[0], *inverse[1], offset[1])
    placed = sheet.transform(
        (WIDTH_PX, HEIGHT_PX), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC
    )
    sharp = 1 / (1 + np.exp(-12 * (np.asarray(placed, dtype=np.float32) / 255 - 0.45)))
    return sharp.astype(np.float32)


def _choose_colours(rng: np.random.Generator) -> tuple[Pixels, Pixels]:
    """Return the colours of paper and ink, each (3,): dark on light, or chalk on a board."""
    light = rng.uniform(0.65, 0.95) + rng.normal(0, 0.05, 3)
    dark = rng.uniform(0.1, 0.4) + rng.normal(0, 0.1, 3)
    paper, ink = (dark, light) if rng.random() < 0.15 else (light, dark)
    return paper.astype(np.float32), ink.astype(np.float32)


def _draw_strokes(
    rng: np.random.Generator, *, count: int | np.integer, width_px: tuple[int, int]
) -> Pixels:
    """Return crossing lines and blots as a mask from 0 to 1, shape (H, W)."""
    mask = Image.new("L", (WIDTH_PX, HEIGHT_PX))
    pen = ImageDraw.Draw(mask)
    for _ in range(int(count)):
        width = int(rng.integers(*width_px))
        x, y = rng.uniform(60, WIDTH_PX - 60), rng.uniform(30, HEIGHT_PX - 30)
        if rng.random() < 0.3:
            pen.ellipse((x - width, y - width, x + width, y + width), fill=255)
        else:
            dx, dy = rng.uniform(-90, 90, 2)
            pen.line((x - dx, y - dy, x + dx, y + dy), fill=255, width=width)
    return np.asarray(mask, dtype=np.float32) / np.float32(255)


def _light(rng: np.random.Generator) -> Pixels:
    """Return a lighting gradient across the sheet around 1, shape (H, W)."""
    down, across = rng.uniform(-0.3, 0.3, 2)
    rows = np.linspace(-down, down, HEIGHT_PX, dtype=np.float32)[:, None]
    columns = np.linspace(-across, across, WIDTH_PX, dtype=np.float32)[None, :]
    return np.float32(rng.uniform(0.75, 1.05)) + rows + columns


def _crop(textures: Pixels, rng: np.random.Generator) -> Pixels:
    """Cut one sheet of paper grain, shape (H, W)."""
    top, left = rng.integers(HEIGHT_PX), rng.integers(WIDTH_PX)
    texture = textures[rng.integers(len(textures))]
    return texture[top : top + HEIGHT_PX, left : left + WIDTH_PX]


def _expose(photo: Pixels, rng: np.random.Generator) -> bytes:
    """Blur, add sensor noise and compress a photo of shape (H, W, 3)."""
    image = Image.fromarray((photo.clip(0, 1) * 255).astype(np.uint8))
    image = image.filter(ImageFilter.BoxBlur(rng.uniform(1, 4)))
    noise = rng.standard_normal((HEIGHT_PX, WIDTH_PX), dtype=np.float32)
    noise *= np.float32(rng.uniform(5, 20))
    noisy = np.asarray(image, dtype=np.float32) + noise[..., None]  # (H, W, 3)
    buffer = BytesIO()
    final = Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
    final.save(buffer, format="JPEG", quality=int(rng.integers(50, 80)))
    return buffer.getvalue()
