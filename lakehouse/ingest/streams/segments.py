"""One partition of a topic on disk: frames of messages, added at the end and never changed.

A partition is a folder of segments, each named by its first offset. A frame is a head and a
body; the head tells the body's length and the CRC-32 of all that follows it. What a crash leaves
half written at the end is cut off by the next writer, and not seen by readers.
"""

from __future__ import annotations

import fcntl
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

from lakehouse.errors import BadInput, Damaged, DiskFull, StorageError, is_disk_full
from lakehouse.ingest.streams.topics import MESSAGES, READ, Tell

SEGMENT_BYTES = 64 * 2**20
LARGEST_FRAME = 32 * 2**20
"""Bytes; more messages at a time go into several frames."""
_SUFFIX = ".log"
_HEAD = struct.Struct("<4sII")
_TOLD = struct.Struct("<QQI")
_MAGIC = b"LHT1"
_HEAD_BYTES = _HEAD.size + _TOLD.size
_END = 4
"""Bytes that tell where a value of a frame ends."""
_NOTHING = pl.DataFrame(schema=READ)


class Frame(NamedTuple):
    """Where a frame stands, and what its head says."""

    at: int
    length: int
    check: int
    first: int
    time: int
    messages: int

    @property
    def end(self) -> int:
        return self.at + self.length


@dataclass
class _Tail:
    """The newest segment, as it was when this process last looked."""

    path: Path
    size: int
    next_offset: int


class Partition:
    """Messages of one partition. Several processes may write and read."""

    def __init__(
        self,
        folder: Path,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        fsync: bool = True,
        keep: int | None = None,
        tell: Tell = lambda _: None,
    ) -> None:
        self.folder = folder
        self._segment_bytes = segment_bytes
        self._fsync = fsync
        self._keep = keep
        self._tell = tell
        self._tail: _Tail | None = None
        self._end: _Tail | None = None

    def append(self, messages: pl.DataFrame, time: int) -> int:
        """Adds `MESSAGES` at `time` (ms since 1970); the offset after the last. They are all there
        on return, on the disk where `fsync` is asked. Raises StorageError, DiskFull; none of
        the frame that failed is there then."""
        with self._alone():
            begun = tail = self._found_tail()
            for part in _frames(messages):
                tail = self._written(tail, part, time)
            self._tail = tail
            if self._keep is not None and tail.path != begun.path:
                self._expired(before=time - self._keep)
        return tail.next_offset

    def ends(self) -> tuple[int, int]:
        """The first offset that is kept, and the next one to come."""
        segments = self.segments()
        if not segments:
            return 0, 0
        if self._end is None or self._end.path != segments[-1]:
            self._end = _Tail(segments[-1], 0, _first(segments[-1]))
        self._end = self._further(self._end)
        return _first(segments[0]), self._end.next_offset

    def _further(self, end: _Tail) -> _Tail:
        """The end of a segment as it is now. One that was cut off is looked for from the start."""
        heads = list(self._heads(end.path, end.size))
        if heads:
            return _Tail(end.path, heads[-1].end, heads[-1].first + heads[-1].messages)
        if end.size and end.path.stat().st_size != end.size:
            return self._further(_Tail(end.path, 0, _first(end.path)))
        return end

    def expire(self, *, before: int | None = None, keep_bytes: int | None = None) -> int:
        """Removes the oldest segments of which all is older than `before` (ms), or that are over
        `keep_bytes`; how many. The newest stays."""
        with self._alone():
            return self._expired(before, keep_bytes)

    def _expired(self, before: int | None = None, keep_bytes: int | None = None) -> int:
        segments = self.segments()
        sizes = [path.stat().st_size for path in segments]
        gone = 0
        for k, path in enumerate(segments[:-1]):
            is_old = before is not None and all(h.time < before for h in self._heads(path, 0))
            is_over = keep_bytes is not None and sum(sizes[k:]) > keep_bytes
            if not (is_old or is_over):
                break
            path.unlink()
            gone += 1
        return gone

    def _written(self, tail: _Tail, part: pl.DataFrame, time: int) -> _Tail:
        frame = encoded(part, tail.next_offset, time)
        if tail.size and tail.size + len(frame) > self._segment_bytes:
            tail = _Tail(self._path(tail.next_offset), 0, tail.next_offset)
        file = os.open(tail.path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            _write(file, frame, tail.size)
            if self._fsync:
                os.fsync(file)
        except OSError as error:
            os.ftruncate(file, tail.size)
            kind = DiskFull if is_disk_full(error) else StorageError
            raise kind(f"{tail.path} could not be written: {error}") from error
        finally:
            os.close(file)
        return _Tail(tail.path, tail.size + len(frame), tail.next_offset + len(part))

    def _found_tail(self) -> _Tail:
        """The end of the log, without what a crash left half written."""
        segments = self.segments()
        if not segments:
            return _Tail(self._path(0), 0, 0)
        path = segments[-1]
        known = self._tail
        size = path.stat().st_size
        if known and known.path == path and known.size == size:
            return known
        begin = known.size if known and known.path == path and known.size < size else 0
        offset = known.next_offset if known and begin else _first(path)
        end = begin
        with path.open("rb") as file:
            for frame in _heads(file.fileno(), begin):
                if _body(file.fileno(), frame) is None:
                    break
                offset, end = frame.first + frame.messages, frame.end
        if end < size:
            os.truncate(path, end)
            self._tell(f"{path}: cut off {size - end} bytes that a crash left at the end")
        return _Tail(path, end, offset)

    def segments(self) -> list[Path]:
        try:
            return sorted(path for path in self.folder.iterdir() if path.suffix == _SUFFIX)
        except FileNotFoundError:
            return []

    def _path(self, first: int) -> Path:
        return self.folder / f"{first:020}{_SUFFIX}"

    def _heads(self, path: Path, begin: int) -> Iterator[Frame]:
        with path.open("rb") as file:
            yield from _heads(file.fileno(), begin)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One writer at a time; the kernel lets go of a dead one's lock."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


class Cursor:
    """A place in a partition, which moves as it is read."""

    def __init__(self, partition: Partition, offset: int) -> None:
        self.partition = partition
        self.offset = offset
        self._path: Path | None = None
        self._at = 0

    def read(self, most: int, most_bytes: int = LARGEST_FRAME) -> pl.DataFrame:
        """The next messages (`READ`), at the most so many, and no further frame once there are so
        many bytes; none where nothing is new. Raises Damaged for a frame within the log that is
        not as it was written, StorageError for an offset that is no longer kept."""
        found: list[tuple[Frame, bytes]] = []
        rows = size = 0
        for frame, body in self._following():
            found.append((frame, body))
            rows += frame.first + frame.messages - max(self.offset, frame.first)
            size += len(body)
            if rows >= most or size >= most_bytes:
                break
        if not found:
            return _NOTHING
        part = _decoded(found).slice(max(0, self.offset - found[0][0].first), most)
        self.offset = int(part["offset"][-1]) + 1
        return part

    def _following(self) -> Iterator[tuple[Frame, bytes]]:
        """The frame that holds the offset, and those after it."""
        segments = self.partition.segments()
        if not segments:
            return
        here = self._settled(segments)
        for path in segments[segments.index(here) :]:
            self._at = self._at if path == here else 0
            self._path = path
            yield from self._of_segment(path, is_last=path == segments[-1])

    def _of_segment(self, path: Path, *, is_last: bool) -> Iterator[tuple[Frame, bytes]]:
        """What is half written at the end of the last segment is not there yet."""
        with path.open("rb") as file:
            size, followed = os.fstat(file.fileno()).st_size, False
            for frame in _heads(file.fileno(), self._at):
                if self.offset < frame.first + frame.messages:
                    body = _body(file.fileno(), frame)
                    if body is None:
                        followed = frame.end < size
                        break
                    yield frame, body
                self._at = frame.end
        if followed or (self._at < size and not is_last):
            raise Damaged(f"{path}: the frame at byte {self._at} is damaged")

    def _settled(self, segments: list[Path]) -> Path:
        """The segment of the offset: that of the last read, or, where there is none, the one that
        must have it."""
        if self._path in segments:
            return self._path
        if self.offset < _first(segments[0]):
            raise StorageError(
                f"{self.partition.folder}: offset {self.offset} is no longer kept; the first is "
                f"{_first(segments[0])}"
            )
        self._at = 0
        return [p for p in segments if _first(p) <= self.offset][-1]


def encoded(messages: pl.DataFrame, first: int, time: int) -> bytes:
    """A frame of messages whose first has the offset `first`."""
    columns = [_buffers(messages[name]) for name in MESSAGES]
    body = b"".join([*(ends.tobytes() for ends, _ in columns), *(data for _, data in columns)])
    told = _TOLD.pack(first, time, len(messages))
    return _HEAD.pack(_MAGIC, len(body), zlib.crc32(told + body)) + told + body


def _frames(messages: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Messages in parts that a frame holds. Raises BadInput for one that is larger."""
    sizes = messages.select(pl.sum_horizontal(pl.all().bin.size("b")).cast(pl.Int64)).to_series()
    largest = sizes.top_k(1).sum()
    if largest > LARGEST_FRAME:
        raise BadInput(f"a message of {largest} bytes; at most {LARGEST_FRAME} are allowed")
    frame = (sizes.cum_sum() // LARGEST_FRAME).alias("frame")
    yield from messages.with_columns(frame).partition_by("frame", include_key=False)


def _buffers(values: pl.Series) -> tuple[np.ndarray[tuple[int], np.dtype[np.uint32]], bytes]:
    """Where each value ends, and all of them one after another."""
    array = values.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    _, ends, data = array.buffers()
    offsets = np.frombuffer(ends, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    whole = b"" if data is None else data.to_pybytes()[offsets[0] : offsets[-1]]
    return (offsets[1:] - offsets[0]).astype(np.uint32), whole


def _heads(file: int, begin: int) -> Iterator[Frame]:
    """The frames from a place on that are there to their end, by what their heads say."""
    at, size = begin, os.fstat(file).st_size
    while len(head := os.pread(file, _HEAD_BYTES, at)) == _HEAD_BYTES:
        magic, length, check = _HEAD.unpack_from(head)
        if magic != _MAGIC or at + _HEAD_BYTES + length > size:
            return
        frame = Frame(at, _HEAD_BYTES + length, check, *_TOLD.unpack_from(head, _HEAD.size))
        yield frame
        at = frame.end


def _body(file: int, frame: Frame) -> bytes | None:
    """What a frame holds; None where it is not what its head says."""
    told = _TOLD.pack(frame.first, frame.time, frame.messages)
    body = os.pread(file, frame.length - _HEAD_BYTES, frame.at + _HEAD_BYTES)
    return body if zlib.crc32(told + body) == frame.check else None


def _decoded(frames: Sequence[tuple[Frame, bytes]]) -> pl.DataFrame:
    """Messages of frames that follow one another (`READ`), made at once: a frame for each would
    cost more than what it holds."""
    counts = [frame.messages for frame, _ in frames]
    begins = [2 * _END * n for n in counts]
    found = {}
    for k, name in enumerate(MESSAGES):
        ends = [
            np.frombuffer(body, np.uint32, n, k * _END * n).astype(np.int64)
            for (_, body), n in zip(frames, counts, strict=True)
        ]
        sizes = [int(e[-1]) for e in ends]
        past = np.cumsum([0, *sizes[:-1]])
        offsets = np.concatenate([[0], *(e + b for e, b in zip(ends, past, strict=True))])
        parts = zip(frames, begins, sizes, strict=True)
        data = b"".join(memoryview(body)[b : b + s] for (_, body), b, s in parts)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
        array = pa.LargeBinaryArray.from_buffers(pa.large_binary(), sum(counts), buffers)
        found[name] = pl.Series(name, array)
        begins = [b + s for b, s in zip(begins, sizes, strict=True)]
    first = frames[0][0].first
    at = pl.Series("offset", np.arange(first, first + sum(counts)))
    times = np.repeat([frame.time for frame, _ in frames], counts)
    return pl.DataFrame([at, pl.Series("time", times).cast(READ["time"]), *found.values()])


def _write(file: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, at)
        at, view = at + written, view[written:]


def _first(path: Path) -> int:
    return int(path.name.removesuffix(_SUFFIX))
