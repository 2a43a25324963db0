/// The frames of one direction of a WebSocket (RFC 6455, 5.2), as far as needed to know where they end.
#[derive(Debug)]
pub(super) struct Frames {
    part: Part,
    closing: bool,
}

#[derive(Debug)]
enum Part {
    /// Bytes of a header so far, without the mask: 2, 4 or 10 in all.
    Header { bytes: [u8; 10], length: usize },
    /// What is left of a mask and a payload.
    Payload { left: u64 },
}

const BEGIN: Part = Part::Header { bytes: [0; 10], length: 0 };
const OPCODE: u8 = 0x0f;
const CLOSE: u8 = 0x08;
const MASKED: u8 = 0x80;
const MASK_LENGTH: u64 = 4;

impl Default for Frames {
    fn default() -> Self {
        Self { part: BEGIN, closing: false }
    }
}

impl Frames {
    /// Nothing of a frame has passed that has not passed whole.
    pub(super) fn at_boundary(&self) -> bool {
        matches!(self.part, Part::Header { length: 0, .. })
    }

    /// A close frame has passed: this side sends no more.
    pub(super) fn closed(&self) -> bool {
        self.closing && self.at_boundary()
    }

    /// Takes in bytes that pass.
    pub(super) fn advance(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let count = self.step(bytes);
            bytes = bytes.get(count..).unwrap_or_default();
        }
    }

    /// Takes in bytes up to the end of the frame under way; gives their number.
    pub(super) fn advance_to_boundary(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while !self.at_boundary() {
            match bytes.get(taken..) {
                Some(rest) if !rest.is_empty() => taken += self.step(rest),
                _ => break,
            }
        }
        taken
    }

    /// Takes in some bytes, at least one, none beyond the end of a frame. `bytes` must not be empty.
    fn step(&mut self, bytes: &[u8]) -> usize {
        match &mut self.part {
            Part::Payload { left } => {
                let count = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= count as u64;
                if *left == 0 {
                    self.part = BEGIN;
                }
                count
            }
            Part::Header { bytes: header, length } => {
                if let (Some(place), Some(byte)) = (header.get_mut(*length), bytes.first()) {
                    *place = *byte;
                    *length += 1;
                }
                if let Some(left) = rest_of_frame(header, *length) {
                    self.closing |= header[0] & OPCODE == CLOSE;
                    self.part = if left == 0 { BEGIN } else { Part::Payload { left } };
                }
                1
            }
        }
    }
}

/// The length of mask and payload, once the header says it.
fn rest_of_frame(header: &[u8; 10], length: usize) -> Option<u64> {
    let [_, second, rest @ ..] = header;
    let mask = if second & MASKED == 0 { 0 } else { MASK_LENGTH };
    let [high, low, ..] = rest;
    let (whole, payload) = match second & !MASKED {
        126 => (4, u64::from(u16::from_be_bytes([*high, *low]))),
        127 => (10, u64::from_be_bytes(*rest)),
        short => (2, u64::from(short)),
    };
    (length >= whole).then(|| payload.saturating_add(mask))
}

/// A close frame with the status 1001, "going away" (RFC 6455, 7.4.1). What a client sends is masked (5.3).
pub(super) fn going_away(mask: Option<[u8; 4]>) -> Vec<u8> {
    let status: [u8; 2] = 1001_u16.to_be_bytes();
    let mut frame = vec![0x80 | CLOSE];
    match mask {
        None => {
            frame.push(2);
            frame.extend(status);
        }
        Some(mask) => {
            frame.push(MASKED | 2);
            frame.extend(mask);
            frame.extend(status.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
        }
    }
    frame
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A frame as people send it.
    fn frame(opcode: u8, masked: bool, payload: usize) -> Vec<u8> {
        let mut bytes = vec![0x80 | opcode];
        let bit = if masked { MASKED } else { 0 };
        match payload {
            0..=125 => bytes.push(bit | u8::try_from(payload).unwrap()),
            126..=0xffff => {
                bytes.push(bit | 0x7e);
                bytes.extend(u16::try_from(payload).unwrap().to_be_bytes());
            }
            _ => {
                bytes.push(bit | 0x7f);
                bytes.extend((payload as u64).to_be_bytes());
            }
        }
        bytes.extend(vec![0x88; payload + if masked { 4 } else { 0 }]);
        bytes
    }

    proptest! {
        #[test]
        fn boundaries_are_found_however_the_bytes_come(
            frames in prop::collection::vec((0..8_u8, any::<bool>(), prop_oneof![0..300_usize, 65_530..65_540_usize]), 1..5),
            piece in 1..5_000_usize,
        ) {
            let mut ends = std::collections::BTreeSet::from([0]);
            let mut bytes = Vec::new();
            for (opcode, masked, payload) in frames {
                bytes.extend(frame(opcode, masked, payload));
                ends.insert(bytes.len());
            }
            let mut tracked = Frames::default();
            let mut passed = 0;
            for piece in bytes.chunks(piece) {
                tracked.advance(piece);
                passed += piece.len();
                prop_assert_eq!(tracked.at_boundary(), ends.contains(&passed));
                prop_assert!(!tracked.closed());
            }
            // From any place the next end is found.
            for place in [1, bytes.len() / 2, bytes.len() - 1] {
                let mut tracked = Frames::default();
                tracked.advance(&bytes[..place]);
                let next = *ends.range(place..).next().unwrap();
                prop_assert_eq!(tracked.advance_to_boundary(&bytes[place..]), next - place);
            }
        }
    }

    #[test]
    fn a_close_frame_is_noticed_once_it_is_whole() {
        for masked in [false, true] {
            let bytes = frame(CLOSE, masked, 2);
            let mut frames = Frames::default();
            for byte in &bytes {
                assert!(!frames.closed());
                frames.advance(&[*byte]);
            }
            assert!(frames.closed());
        }
    }

    #[test]
    fn our_close_frame_is_one() {
        assert_eq!(going_away(None), [0x88, 0x02, 0x03, 0xe9]);
        let mask = [1, 2, 3, 4];
        assert_eq!(going_away(Some(mask)), [0x88, 0x82, 1, 2, 3, 4, 0x03 ^ 1, 0xe9 ^ 2]);
    }
}
