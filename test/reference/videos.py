"""Writes videos/ and videos.json for test/runtime/videos.test.ts: made clips, encoded and decoded by PyAV (FFmpeg) and Pillow.

A square moves to the right and changes its colour from frame to frame, so that each frame tells its number. `odd.mkv` and `odd.mp4` have a variable frame rate.
"""

import json
import shutil
from pathlib import Path

import av
import numpy as np
import PIL
from PIL import Image

here = Path(__file__).parent
out = here / "videos"
shutil.rmtree(out, ignore_errors=True)
out.mkdir()
count, height, width = 24, 32, 48


def picture(i: int) -> np.ndarray:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:] = (40, 80, 120)
    x = (2 * i) % (width - 8)
    pixels[8:20, x : x + 8] = (220, 40 + 6 * i, 30)
    return pixels


def encode(name: str, codec: str, options: dict, times=range(count)) -> None:
    with av.open(out / name, "w") as container:
        stream = container.add_stream(codec, rate=12)
        stream.width, stream.height, stream.pix_fmt, stream.options = width, height, "yuv420p", options
        for i, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(i), format="rgb24")
            frame.pts = time
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


encode("moving.mp4", "libx264", {"crf": "12", "g": "8"})
encode("moving.webm", "libvpx-vp9", {"crf": "12", "b": "0", "g": "8"})
encode("odd.mkv", "libx264", {"crf": "12", "g": "8"}, [2 * i if i < 12 else 12 + i for i in range(count)])
encode("odd.mp4", "libx264", {"crf": "12", "g": "8"}, [i * i for i in range(count)])
frames = [Image.fromarray(picture(i)) for i in range(count)]
frames[0].save(out / "moving.gif", save_all=True, append_images=frames[1:], duration=80, loop=0)
frames[0].save(out / "moving.webp", save_all=True, append_images=frames[1:], duration=80, loop=0, lossless=True)

cases = []
for name in ["moving.mp4", "moving.webm", "odd.mkv", "odd.mp4", "moving.gif", "moving.webp"]:
    if name.endswith(("gif", "webp")):
        image = Image.open(out / name)
        read = []
        for i in range(image.n_frames):
            image.seek(i)
            read.append(np.asarray(image.convert("RGB")))
    else:
        with av.open(out / name) as container:
            read = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    # The middle of the square, and a place beside it.
    cases.append(dict(name=name, frames=len(read), square=[f[13, (2 * i) % (width - 8) + 4].tolist() for i, f in enumerate(read)], beside=[f[26, 24].tolist() for f in read]))
versions = {"PyAV": av.__version__, "Pillow": PIL.__version__}
(here / "videos.json").write_text(json.dumps({"versions": versions, "size": [height, width], "cases": cases}))
