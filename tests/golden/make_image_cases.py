"""Writes tests/cases/io/image_codec.case: small images as TensorFlow decodes and encodes them.

Run: python make_image_cases.py > ../cases/io/image_codec.case (needs tensorflow)."""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow.compat.v1 as tf

from make_summary_cases import literal, session_run

RANDOM = np.random.default_rng(5)


def decode(op, title, contents, tolerance=0, **attrs):
    result = session_run(lambda: getattr(tf.raw_ops, op)(contents=contents, **attrs))
    names = {tf.uint8: "u8", tf.uint16: "u16", tf.float32: "f32"}
    texts = {k: names[v] if isinstance(v, tf.DType) else str(v).lower() if isinstance(v, bool) else v for k, v in attrs.items()}
    print(f"run  {title}")
    if attrs:
        print("  attrs " + " ".join(f"{k}={v}" if not isinstance(v, str) or v in names.values() or v in ("true", "false")
                                    else f"{k}='{v}'" for k, v in texts.items()))
    if tolerance:
        print(f"  tolerance {tolerance}")
    print(f"  contents: {literal(contents)}")
    print(f"  -> {literal(result)}")


colours = RANDOM.integers(0, 256, (3, 4, 4)).astype(np.uint8)
smooth = np.clip(np.add.outer(np.arange(16) * 8, np.arange(16) * 7)[..., None] + [0, 20, 40], 0, 255).astype(np.uint8)
encode = lambda op, image, **attrs: session_run(lambda: getattr(tf.raw_ops, op)(image=image, **attrs))
print("# Made by tests/golden/make_image_cases.py: the expected values are TensorFlow's.")
print("\nop DecodePng")
for depth in 1, 2, 3, 4:
    for wanted in 0, 1, 3, 4:
        decode("DecodePng", f"{depth} channels to {wanted}", encode("EncodePng", colours[:, :, :depth]), channels=wanted)
wide = RANDOM.integers(0, 65536, (2, 3, 3)).astype(np.uint16)
decode("DecodePng", "16 bits", encode("EncodePng", wide), dtype=tf.uint16)
decode("DecodePng", "16 bits as 8", encode("EncodePng", wide))
decode("DecodePng", "8 bits as 16", encode("EncodePng", colours[:, :, :3]), dtype=tf.uint16)
jpeg = encode("EncodeJpeg", smooth, quality=90)
print("\nop DecodeJpeg")
decode("DecodeJpeg", "colours", jpeg)
decode("DecodeJpeg", "colours to grey, exactly", jpeg, channels=1, dct_method="INTEGER_ACCURATE")
decode("DecodeJpeg", "half as large", jpeg, ratio=2)
print("\nop DecodeImage")
decode("DecodeImage", "a PNG as floats", encode("EncodePng", colours[:, :, :3]), tolerance=1e-6, dtype=tf.float32, expand_animations=False)
decode("DecodeImage", "a JPEG of few colours", encode("EncodeJpeg", smooth[:4, :4, :1]))

# What is encoded here is decoded as TensorFlow decodes what it encoded itself: the files differ, the pixels do not.
print(f"""
op EncodePng
error  too many channels: INVALID_ARGUMENT /image must have 1, 2, 3, or 4 channels/
  image: u8[1,1,5] = 1
error  a matrix: INVALID_ARGUMENT /rank 3/
  image: u8[1,5] = 1

op EncodeJpeg
error  two channels: INVALID_ARGUMENT /image must have 1 or 3 channels/
  image: u8[1,1,2] = 1

op DecodePng
run  what EncodePng wrote
  let png = EncodePng({literal(colours)})
  contents: $png
  -> {literal(colours)}
run  16 bits that EncodePng wrote
  attrs dtype=u16
  let png = EncodePng({literal(wide)}) compression=9
  contents: $png
  -> {literal(wide)}
error  a file that is cut short: INVALID_ARGUMENT /Invalid PNG data/
  contents: {literal(encode("EncodePng", wide)[:60])}
error  no image: INVALID_ARGUMENT /Unknown image file format/
  contents: str[] = 'none'

op DecodeJpeg
run  what EncodeJpeg wrote
  tolerance 3
  let jpeg = EncodeJpeg({literal(smooth)}) quality=90 optimize_size=true
  contents: $jpeg
  -> {literal(session_run(lambda: tf.raw_ops.DecodeJpeg(contents=jpeg)))}
error  a file that is cut short: INVALID_ARGUMENT /Invalid JPEG data/
  contents: {literal(jpeg[:len(jpeg) * 2 // 3])}""")
