"""Every audio extractor, for the contract; braces name a checkpoint of tests.support.checkpoint."""

from tests.support.payload import clip_payload, tone

PAYLOADS = [clip_payload(tone(s, hz=200 + 900 * s)) for s in (0.3, 0.01, 2.0, 0.7, 1.1)]
EXTRACTS = {
    "mfcc": {"kind": "mfcc", "max_frames": 40},
    "mfcc mean": {"kind": "mfcc", "pooling": "mean"},
    "mfcc statistics": {"kind": "mfcc", "pooling": "statistics"},
}
