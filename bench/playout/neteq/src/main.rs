//! `bench-neteq PACKETS SOUND END_MS`: plays a file of packets through neteq with its default settings, at 24 kHz.
//!
//! PACKETS, in the order of arrival, little-endian: u64 arrival in microseconds, u32 timestamp in samples, u16 sequence, u16 bytes, and
//! one Opus packet of 20 ms.
//!
//! SOUND, for every 10 ms up to END_MS: u8 number of segments; for each u8 kind (0 speech, 1 concealed), u16 samples, i64 timestamp (−1:
//! none), u16 samples of media; then 240 samples of 16 bits. The media of speech is known exactly where a packet was decoded and played. In
//! sound that neteq stretched or shortened, the difference is spread over the 10 ms.

use std::collections::VecDeque;
use std::error::Error;
use std::sync::{Arc, Mutex};

use neteq::codec::AudioDecoder;
use neteq::{AudioPacket, NetEq, NetEqConfig, RtpHeader};
use ropus::{Channels, DecodeMode, Decoder};

const RATE_HZ: u32 = 24_000;
const PAYLOAD_TYPE: u8 = 111;
const OUT_SAMPLES: usize = 240;
const PACKET_MS: u32 = 20;

/// What was decoded and is not played yet: timestamps and samples.
type Pending = Arc<Mutex<VecDeque<(i64, usize)>>>;

/// Decodes, and notes which packet it was: the payload begins with its timestamp.
struct NotingDecoder {
    decoder: Decoder,
    pending: Pending,
}

impl AudioDecoder for NotingDecoder {
    fn sample_rate(&self) -> u32 {
        RATE_HZ
    }

    fn channels(&self) -> u8 {
        1
    }

    fn decode(&mut self, encoded: &[u8]) -> neteq::Result<Vec<f32>> {
        let (timestamp, opus) = encoded.split_at(4);
        let mut pcm = vec![0.0; RATE_HZ as usize * 120 / 1000];
        let samples = self
            .decoder
            .decode_float(opus, &mut pcm, DecodeMode::Normal)
            .map_err(|error| neteq::NetEqError::DecoderError(error.to_string()))?;
        pcm.truncate(samples);
        let timestamp = u32::from_le_bytes(timestamp.try_into().unwrap());
        self.pending.lock().unwrap().push_back((timestamp.into(), samples));
        Ok(pcm)
    }
}

/// A file of packets.
struct Packets {
    bytes: Vec<u8>,
    at: usize,
}

struct Packet {
    timestamp: u32,
    sequence: u16,
    payload: Vec<u8>,
}

impl Packets {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let taken = self.bytes[self.at..self.at + N].try_into().unwrap();
        self.at += N;
        taken
    }

    /// When the next one arrives; None at the end.
    fn next_us(&self) -> Option<u64> {
        let bytes = self.bytes.get(self.at..self.at + 8)?;
        Some(u64::from_le_bytes(bytes.try_into().unwrap()))
    }

    fn next(&mut self) -> Packet {
        self.at += 8;
        let timestamp = self.take::<4>();
        let sequence = u16::from_le_bytes(self.take());
        let bytes = usize::from(u16::from_le_bytes(self.take()));
        let mut payload = timestamp.to_vec();
        payload.extend_from_slice(&self.bytes[self.at..self.at + bytes]);
        self.at += bytes;
        Packet { timestamp: u32::from_le_bytes(timestamp), sequence, payload }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, packets, sound, end_ms] = arguments.as_slice() else {
        return Err("expected: bench-neteq PACKETS SOUND END_MS".into());
    };
    let mut packets = Packets { bytes: std::fs::read(packets)?, at: 0 };
    let end_ms: u64 = end_ms.parse()?;

    let pending = Pending::default();
    let mut neteq = NetEq::new(NetEqConfig { sample_rate: RATE_HZ, ..Default::default() })?;
    let decoder = Decoder::new(RATE_HZ, Channels::Mono).map_err(|error| error.to_string())?;
    neteq.register_decoder(PAYLOAD_TYPE, Box::new(NotingDecoder { decoder, pending: pending.clone() }));

    let mut out = Vec::new();
    for now_ms in (0..end_ms).step_by(10) {
        while let Some(arrival_us) = packets.next_us().filter(|&arrival_us| arrival_us <= now_ms * 1000) {
            web_time::set_now_us(arrival_us);
            let Packet { timestamp, sequence, payload } = packets.next();
            let header = RtpHeader::new(sequence, timestamp, 1, PAYLOAD_TYPE, false);
            neteq.insert_packet(AudioPacket::new(header, payload, RATE_HZ, 1, PACKET_MS))?;
        }
        web_time::set_now_us(now_ms * 1000);
        let frame = neteq.get_audio()?;
        let waiting = neteq.get_statistics().packets_awaiting_decode;
        let unplayed = neteq.current_buffer_size_samples() - waiting * (RATE_HZ * PACKET_MS / 1000) as usize;
        write_frame(&mut out, &played(&mut pending.lock().unwrap(), unplayed), &frame.samples);
    }
    std::fs::write(sound, out)?;
    Ok(())
}

/// Removes from `pending` what is no longer unplayed.
fn played(pending: &mut VecDeque<(i64, usize)>, unplayed: usize) -> Vec<(i64, usize)> {
    let mut left = pending.iter().map(|piece| piece.1).sum::<usize>().saturating_sub(unplayed);
    let mut taken = Vec::new();
    while left > 0 {
        let Some((timestamp, samples)) = pending.pop_front() else { break };
        let now = samples.min(left);
        taken.push((timestamp, now));
        left -= now;
        if now < samples {
            pending.push_front((timestamp + now as i64, samples - now));
        }
    }
    taken
}

/// Writes a frame with its segments. neteq calls a frame "expand" when any of it was made up: its real sound then counts as speech only
/// as far as it goes.
fn write_frame(out: &mut Vec<u8>, media: &[(i64, usize)], samples: &[f32]) {
    let all: usize = media.iter().map(|piece| piece.1).sum();
    // Stretched sound is a little shorter or longer than what it stands for; much less is a hole.
    let speech = if all * 2 >= OUT_SAMPLES { OUT_SAMPLES } else { all };
    let mut segments: Vec<(u8, usize, i64, usize)> = Vec::new();
    let (mut done, mut written) = (0, 0);
    for &(timestamp, piece) in media {
        done += piece;
        let end = done * speech / all;
        if end > written {
            segments.push((0, end - written, timestamp, piece));
        }
        written = end;
    }
    if written < OUT_SAMPLES {
        segments.push((1, OUT_SAMPLES - written, -1, 0));
    }
    out.push(segments.len() as u8);
    for (kind, samples, timestamp, media) in segments {
        out.push(kind);
        out.extend_from_slice(&(samples as u16).to_le_bytes());
        out.extend_from_slice(&timestamp.to_le_bytes());
        out.extend_from_slice(&(media as u16).to_le_bytes());
    }
    for &sample in &samples[..OUT_SAMPLES] {
        let pcm = (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16;
        out.extend_from_slice(&pcm.to_le_bytes());
    }
}
