"""Writes resample.json and sounds/ for test/runtime/sound.test.ts: resampling by torchaudio, FLAC and MP3 by libsndfile.

The sound that is resampled is that of fbank.py, made of whole numbers by a rule that the test repeats. Resampling is computed
in float64; a few samples of each case are kept, of both ends and of the middle. The files of sounds/ hold the same sound; what is
compared is what libsndfile reads of them.
"""

import json
from pathlib import Path

import numpy as np
import soundfile
import torch

# torchaudio refuses a torch that was built for another CUDA; nothing here computes on a GPU.
torch.version.cuda = None
import torchaudio  # noqa: E402

here = Path(__file__).parent


def sound(rate: int, count: int) -> torch.Tensor:
    """As in fbank.py."""
    state, samples = 1, []
    for i in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        noise = (state >> 16) % 2048 - 1024
        sweep = (i * (i // 64 + 200)) % 65536 - 32768
        saw = (i * 440 * 65536 // rate) % 65536 - 32768
        loud = 1 + (i // 2000) % 4
        samples.append((sweep // 4 + saw // 8 + noise) // loud)
    return torch.tensor(samples, dtype=torch.float64) / 2**15


kaiser = dict(resampling_method="sinc_interp_kaiser", lowpass_filter_width=64, rolloff=0.9475937167399596, beta=14.769656459379492)
cases = [
    dict(rate=44100, to=16000, count=3001, options={}),
    dict(rate=8000, to=16000, count=1000, options={}),
    dict(rate=48000, to=16000, count=2000, options={}),
    dict(rate=22050, to=16000, count=1500, options=kaiser),
    dict(rate=16000, to=44100, count=700, options=dict(rolloff=0.9, lowpass_filter_width=16)),
    dict(rate=500, to=250, count=501, options={}),
    dict(rate=360, to=257, count=900, options={}),
]
for case in cases:
    result = torchaudio.functional.resample(sound(case["rate"], case["count"])[None], case["rate"], case["to"], **case["options"])[0]
    case["length"] = len(result)
    case["at"] = sorted({*range(12), *range(len(result) // 2, len(result) // 2 + 12), *range(len(result) - 12, len(result))})
    case["values"] = [result[i].item() for i in case["at"]]

(here / "sounds").mkdir(exist_ok=True)
stereo = np.stack([sound(44100, 1200).numpy(), 0.5 * sound(8000, 1200).numpy()], axis=1)
mono = sound(16000, 4000).numpy()
files = []
for name, data, rate, subtype in [
    ("stereo-24.flac", stereo, 44100, "PCM_24"),
    ("mono-16.flac", mono[:1500], 16000, "PCM_16"),
    ("stereo.mp3", np.stack([mono, 0.5 * mono], axis=1), 44100, "MPEG_LAYER_III"),
    ("mono.mp3", mono, 16000, "MPEG_LAYER_III"),
]:
    path = here / "sounds" / name
    soundfile.write(path, data, rate, subtype=subtype)
    read, rate = soundfile.read(path, dtype="float64", always_2d=True)
    at = [0, 1, 7, 500, 777, len(read) - 1]
    files.append(dict(name=name, rate=rate, length=len(read), at=at, values=[[round(v, 9) for v in read[i].tolist()] for i in at]))
versions = {"torch": torch.__version__, "torchaudio": torchaudio.__version__, "libsndfile": soundfile.__libsndfile_version__}
(here / "resample.json").write_text(json.dumps({"versions": versions, "cases": cases, "files": files}))
