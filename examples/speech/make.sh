#!/bin/sh
# Creates the three voices of the demo with espeak-ng and sox: 24 kHz, mono, 16 bit, two sentences of exactly 3.5 s each.
# The WAV files are committed; run this only to create different ones. Debian packages: espeak-ng, sox.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# sentence FILE VOICE PITCH SPEED TEXT: at most 3.4 s, padded with silence to 3.5 s
sentence() {
  espeak-ng -v "$2" -p "$3" -s "$4" -w "$work/raw.wav" "$5"
  sox -D "$work/raw.wav" -r 24000 -c 1 -b 16 "$work/24k.wav" silence 1 0.01 0.1% norm -4
  sox -V1 -D "$work/24k.wav" "$work/$1" pad 0.05 3.5 trim 0 3.5
}

# voice NAME VOICE PITCH SPEED FIRST SECOND
voice() {
  sentence one.wav "$2" "$3" "$4" "$5"
  sentence two.wav "$2" "$3" "$4" "$6"
  sox -D "$work/one.wav" "$work/two.wav" "$1.wav"
}

voice ada en-us+f3 62 165 "Ada here. I have the flag and I am on my way." "Push left now. I will cover you from the bridge."
voice ben en-gb+m3 32 160 "Ben here. Two of them are behind the north gate." "Copy that. Moving up on the left side."
voice cleo en-gb-scotland+f4 48 170 "Cleo speaking. My shield is down, I need to heal." "Healed and ready. Let us finish this round together."
