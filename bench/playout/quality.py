"""Scores pairs of sound for the playout benchmark: PESQ (wide band) and STOI, both from PyPI.

Reads a JSON list of [reference, heard] paths from the file named on the command line: mono, 16 bit, 16 kHz, raw. Prints a JSON list of
[PESQ, STOI]; PESQ is null where it finds no utterance. For STOI, which compares sample by sample, the heard sound is shifted to where it
correlates best. PESQ aligns by itself.
"""

import json
import sys

import numpy
from pesq import NoUtterancesError, pesq
from pystoi import stoi

RATE_HZ = 16_000


def read(path):
    return numpy.fromfile(path, dtype="<i2").astype(numpy.float64)


def aligned(reference, heard):
    """The part of `heard` that fits `reference` best, of the same length."""
    size = 1 << (len(reference) + len(heard) - 1).bit_length()
    spectrum = numpy.fft.rfft(heard, size) * numpy.conj(numpy.fft.rfft(reference, size))
    correlation = numpy.fft.irfft(spectrum, size)[: max(1, len(heard) - len(reference) + 1)]
    part = heard[int(numpy.argmax(correlation)) :][: len(reference)]
    return numpy.pad(part, (0, len(reference) - len(part)))


def score(reference_path, heard_path):
    reference, heard = read(reference_path), read(heard_path)
    try:
        quality = pesq(RATE_HZ, reference.astype(numpy.int16), heard.astype(numpy.int16), "wb")
    except NoUtterancesError:
        quality = None
    return [quality, float(stoi(reference, aligned(reference, heard), RATE_HZ))]


with open(sys.argv[1], encoding="utf-8") as pairs:
    print(json.dumps([score(*pair) for pair in json.load(pairs)]))
