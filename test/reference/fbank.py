"""Writes fbank.json for test/runtime/sound.test.ts: log-mel filterbanks by torchaudio.compliance.kaldi.fbank.

The sound is made of whole numbers by a rule that the test repeats,
so that it need not be stored: 16-bit samples of two gliding tones and of noise, loud and quiet by turns. The features are
computed in float64; `float32` is how far the same call in single precision is from them.
"""

import json
from pathlib import Path

import torch

# torchaudio refuses a torch that was built for another CUDA; nothing here computes on a GPU.
torch.version.cuda = None
import torchaudio  # noqa: E402
from torchaudio.compliance import kaldi  # noqa: E402


def sound(rate: int, count: int) -> torch.Tensor:
    """Integers of 16 bits, from integers alone: the same on every machine."""
    state, samples = 1, []
    for i in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        noise = (state >> 16) % 2048 - 1024
        sweep = (i * (i // 64 + 200)) % 65536 - 32768
        saw = (i * 440 * 65536 // rate) % 65536 - 32768
        loud = 1 + (i // 2000) % 4
        samples.append((sweep // 4 + saw // 8 + noise) // loud)
    return torch.tensor(samples, dtype=torch.float64) / 2**15


audio_mae = dict(htk_compat=True, use_energy=False, window_type="hanning", num_mel_bins=128, dither=0.0, frame_shift=10)
cases = [
    dict(rate=16000, count=6000, options=audio_mae),
    dict(rate=8000, count=3000, options=audio_mae | dict(num_mel_bins=64)),
    dict(rate=22050, count=8000, options=audio_mae),
    dict(rate=44100, count=14000, options=audio_mae),
    dict(rate=16000, count=4000, options=audio_mae | dict(num_mel_bins=23, window_type="povey")),
    dict(rate=16000, count=4000, options=audio_mae | dict(num_mel_bins=40, window_type="hamming", low_freq=60.0, high_freq=7000.0)),
    dict(rate=16000, count=4000, options=audio_mae | dict(num_mel_bins=80, window_type="rectangular", frame_length=32.0, frame_shift=12.5)),
]
for case in cases:
    waveform = sound(case["rate"], case["count"])[None]
    exact = kaldi.fbank(waveform, sample_frequency=case["rate"], **case["options"])
    single = kaldi.fbank(waveform.float(), sample_frequency=case["rate"], **case["options"])
    # Frames far apart, whole: enough to tell a wrong one.
    case["frames"] = exact.shape[0]
    case["at"] = list(range(0, exact.shape[0], 7))
    case["features"] = [[float(f"{value:.7g}") for value in exact[t].tolist()] for t in case["at"]]
    case["float32"] = (exact - single).abs().max().item()
versions = {"torch": torch.__version__, "torchaudio": torchaudio.__version__}
(Path(__file__).parent / "fbank.json").write_text(json.dumps({"versions": versions, "cases": cases}))
