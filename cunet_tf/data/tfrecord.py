"""Files of records in TFRecord's form, written and read without TensorFlow.

A record is its length (8 bytes, little-endian), the masked CRC-32C of these, the payload, and the payload's masked
CRC-32C. Nothing stands before, between or behind the records.
"""

import struct
import zlib
from pathlib import Path

from cunet_tf.data.crc32c import masked
from cunet_tf.errors import FaultyFile

HEAD, TAIL = struct.Struct("<QI"), struct.Struct("<I")
FRAME = HEAD.size + TAIL.size  # bytes around a payload
DAMAGED = "damaged records"


def framed(payload: bytes) -> bytes:
    """A record with this payload."""
    length = struct.pack("<Q", len(payload))
    return b"".join((length, TAIL.pack(masked(length)), payload, TAIL.pack(masked(payload))))


def read_record(file: Path, offset: int, length: int, where: str = "", check: int | None = None) -> bytes:
    """The payload of one record.

    The file is opened for each record: nothing of it is shared by threads or processes.

    Args:
        file: of records.
        offset: bytes before the record.
        length: bytes of its payload.
        where: the record, for messages; the file by default.
        check: zlib's CRC-32 of the payload, where it is known, in place of the file's own checksum.

    Raises:
        FaultyFile: the file cannot be read or is too short, or a length or checksum is wrong.
    """
    where = where or str(file)
    try:
        with open(file, "rb", buffering=0) as stream:
            stream.seek(offset)
            data = stream.read(FRAME + length)
    except OSError as error:
        raise FaultyFile(DAMAGED, where, f"cannot be read ({error.strerror}).") from None
    if len(data) < FRAME + length:
        raise FaultyFile(DAMAGED, where, "the file ends within this record: copy it again, or pack again.")
    payload = data[HEAD.size : -TAIL.size]
    (said, _), (crc,) = HEAD.unpack_from(data), TAIL.unpack_from(data, HEAD.size + length)
    sound = crc == masked(payload) if check is None else check == zlib.crc32(payload)
    if said != length or not sound:
        fault = "its checksum is wrong" if said == length else "its length is not what the index says"
        raise FaultyFile(DAMAGED, where, f"{fault}: copy the file again, or pack again.")
    return payload
