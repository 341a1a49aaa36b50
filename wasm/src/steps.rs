//! What a decoder is to do in one call: steps, back to back, each a length in 16 bits (little-endian) and that
//! many bytes of one Opus packet. Lengths that no Opus packet can have mean something else. The encoder's batch
//! writes the same form.

/// A packet of no bytes: 20 ms of zeros, the decoder untouched.
const NOTHING: u16 = 0;
const RESET: u16 = 0xffff;
/// 20 ms made up for a lost packet.
const CONCEAL: u16 = 0xfffe;
/// 20 ms that were lost, from the packet that follows: its in-band FEC, or made up where it holds none. The
/// packet stands behind as a step of its own.
const FEC: u16 = 0xfffd;
/// Zeros, the decoder untouched: their number in 32 bits follows.
const SILENCE: u16 = 0xfffc;

#[derive(Clone, Copy)]
pub enum Step<'a> {
    Packet(&'a [u8]),
    Nothing,
    Reset,
    Conceal,
    Fec(&'a [u8]),
    Silence(usize),
}

/// The steps in `bytes`; `Err` once, at the end, where they do not come out even.
pub struct Steps<'a>(pub &'a [u8]);

impl<'a> Steps<'a> {
    fn word(&self) -> Option<u16> {
        Some(u16::from_le_bytes([*self.0.first()?, *self.0.get(1)?]))
    }

    fn step(&mut self) -> Option<Step<'a>> {
        let word = self.word()?;
        self.0 = &self.0[2..];
        Some(match word {
            NOTHING => Step::Nothing,
            RESET => Step::Reset,
            CONCEAL => Step::Conceal,
            // Only a packet may follow: no look beyond it, so that no run of these words recurses.
            FEC => match self.word()? {
                NOTHING | SILENCE.. => return None,
                length => Step::Fec(self.0.get(2..2 + length as usize)?),
            },
            SILENCE => {
                let count = self.0.get(..4)?;
                self.0 = &self.0[4..];
                Step::Silence(u32::from_le_bytes([count[0], count[1], count[2], count[3]]) as usize)
            }
            length => {
                let packet = self.0.get(..length as usize)?;
                self.0 = &self.0[length as usize..];
                Step::Packet(packet)
            }
        })
    }
}

impl<'a> Iterator for Steps<'a> {
    type Item = Result<Step<'a>, ()>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let step = self.step();
        if step.is_none() {
            self.0 = &[];
        }
        Some(step.ok_or(()))
    }
}
