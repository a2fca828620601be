"""Ogg pages, read by a parser written from RFC 3533 that shares nothing with the writer."""

import struct
from dataclasses import dataclass

import numpy as np
import pytest
from hearing import RATE, encode_whole, hear, speechlike

from ttsops.audio import Format, create_encoder
from ttsops.audio.ogg import OpusPages
from ttsops.audio.tags import NO_TAGS

pytestmark = pytest.mark.unit

PRE_SKIP = 120
HEAD = b"OpusHead\x01\x01" + struct.pack("<HIHB", PRE_SKIP, 24_000, 0, 0)


@dataclass
class Page:
    flags: int
    position: int
    serial: int
    sequence: int
    packets: list[bytes]


def plain_crc(data: bytes) -> int:
    """The checksum bit by bit, as the RFC defines it."""
    crc = 0
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc


def read_pages(data: bytes) -> list[Page]:
    pages = []
    while data:
        magic, version, flags, position, serial, sequence, crc, n_segments = struct.unpack_from(
            "<4sBBqIIIB", data
        )
        assert (magic, version) == (b"OggS", 0)
        lacing = data[27 : 27 + n_segments]
        size = 27 + n_segments + sum(lacing)
        assert crc == plain_crc(data[:22] + bytes(4) + data[26:size])
        packets, start, length = [], 27 + n_segments, 0
        for segment in lacing:
            length += segment
            if segment < 255:
                packets.append(data[start : start + length])
                start, length = start + length, 0
        assert not length, "a packet goes on in the next page"
        pages.append(Page(flags, position, serial, sequence, packets))
        data = data[size:]
    return pages


def pages_of(packets: list[bytes], n_samples: int) -> list[Page]:
    pages = OpusPages(HEAD, sample_rate=RATE, packet_seconds=0.02, serial=7, tags=NO_TAGS)
    return read_pages(pages.header() + pages.wrap(packets[:-1]) + pages.end(packets[-1:], n_samples))


def test_pages_carry_every_packet_in_order() -> None:
    rng = np.random.default_rng(0)
    sizes = [0, 1, 254, 255, 256, 509, 510, 511, 1275, *rng.integers(1, 1276, 300)]
    packets = [rng.bytes(size) for size in sizes]
    pages = pages_of(packets, len(packets) * 480)
    assert [packet for page in pages[2:] for packet in page.packets] == packets
    assert [page.sequence for page in pages] == list(range(len(pages)))
    assert {page.serial for page in pages} == {7}


def test_flags_mark_the_first_and_the_last_page_only() -> None:
    pages = pages_of([b"x"] * 200, 200 * 480)
    assert [page.flags for page in pages] == [2, *[0] * (len(pages) - 2), 4]


def test_no_page_holds_more_than_a_second() -> None:
    pages = pages_of([b"x"] * 200, 200 * 480)
    assert max(len(page.packets) for page in pages) == 50


def test_positions_count_48_khz_and_the_last_cuts_the_padding() -> None:
    pages = pages_of([b"x"] * 3, 1000)
    assert [page.position for page in pages] == [0, 0, 2 * 960, PRE_SKIP + 2000]


def test_an_end_without_packets_is_still_an_end() -> None:
    pages = OpusPages(HEAD, sample_rate=RATE, packet_seconds=0.02, serial=7, tags=NO_TAGS)
    (last,) = read_pages(pages.end([], 480))
    assert (last.flags, last.packets) == (4, [])


def test_one_call_is_one_page() -> None:
    """A page per packet costs 28 bytes each; a page per call leaves as early."""
    encoder = create_encoder(Format.OPUS)
    encoder.encode(speechlike(480))
    assert [len(page.packets) for page in read_pages(encoder.encode(speechlike(2400)))] == [5]


def test_joined_responses_are_heard_one_after_the_other() -> None:
    """Chained streams need serial numbers of their own."""
    first = encode_whole(create_encoder(Format.OPUS), speechlike(5000))
    second = encode_whole(create_encoder(Format.OPUS), speechlike(7000))
    assert read_pages(first)[0].serial != read_pages(second)[0].serial
    assert hear(first + second, Format.OPUS).n_samples >= 12_000
