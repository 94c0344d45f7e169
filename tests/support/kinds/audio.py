"""Every audio extractor, for the contract; braces name a checkpoint of tests.support."""

from tests.support.payload import clip_payload, tone

PAYLOADS = [clip_payload(tone(s, hz=200 + 900 * s)) for s in (0.3, 0.01, 1.1, 0.7, 2.0)]
BOW = {"extract": {"kind": "bow", "vocabulary": 30}}
TOKENS = {"extract": {"kind": "tokens", "vocabulary": 90, "max_tokens": 20}}
EXTRACTS = {
    "mfcc": {"kind": "mfcc", "max_frames": 40},
    "mfcc mean": {"kind": "mfcc", "pooling": "mean"},
    "mfcc statistics": {"kind": "mfcc", "pooling": "statistics", "deltas": 2},
    "log_mel": {"kind": "log_mel", "max_frames": 40},
    "waveform": {"kind": "waveform", "max_samples": 16_000},
    "hf_audio wav2vec2": {"kind": "hf_audio", "model": "{wav2vec2}", "batch_size": 2},
    "hf_audio wav2vec2 masked": {
        "kind": "hf_audio", "model": "{wav2vec2_masked}", "pooling": "sequence", "batch_size": 3,
    },
    "hf_audio hubert": {"kind": "hf_audio", "model": "{hubert}", "pooling": "sequence"},
    "hf_audio wavlm": {"kind": "hf_audio", "model": "{wavlm}"},
    "hf_audio whisper": {"kind": "hf_audio", "model": "{whisper}", "batch_size": 2},
    "hf_audio ast": {"kind": "hf_audio", "model": "{ast}", "pooling": "pooled"},
    "hf_audio clap": {"kind": "hf_audio", "model": "{clap}", "pooling": "pooled"},
    "transcript ctc": {"kind": "transcript", "model": "{speech_ctc}", "text": TOKENS},
    "transcript whisper": {
        "kind": "transcript", "model": "{speech_whisper}", "text": BOW, "max_new_tokens": 12,
    },
}  # fmt: skip
DECODES = {
    "hf_audio whisper": {"max_duration_s": 30},
    "hf_audio ast": {"segment_s": 1.2},
    "hf_audio clap": {"windows": {"length_s": 0.5, "hop_s": 0.4}, "combine": "sequence"},
    "transcript whisper": {"max_duration_s": 30},
}
"""Settings of decoding, where the extractor asks for them."""
