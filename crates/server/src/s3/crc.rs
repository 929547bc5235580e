//! Joining cyclic redundancy checks: the sum of two runs of bytes from the sums of each.
//!
//! That is how a multipart object gets the checksum of all its bytes without their being read again. It works
//! for every reflected sum that starts and ends with all bits set, as those of S3 do: appending `n` zero bytes
//! multiplies the remainder by x^(8n) modulo the polynomial, and the rest cancels out.

/// A reflected polynomial and its width.
#[derive(Debug, Clone, Copy)]
pub(super) struct Polynomial {
    reflected: u64,
    bits: u32,
}

/// The polynomial of Ethernet and zip.
pub(super) const CRC32: Polynomial = Polynomial { reflected: 0xEDB8_8320, bits: 32 };
/// The polynomial of iSCSI (Castagnoli).
pub(super) const CRC32C: Polynomial = Polynomial { reflected: 0x82F6_3B78, bits: 32 };
/// The polynomial of NVM Express.
pub(super) const CRC64_NVME: Polynomial = Polynomial { reflected: 0x9A6C_9329_AC4B_C9B5, bits: 64 };

/// The sum of bytes that sum up to `first`, followed by `second_len` bytes that sum up to `second`. The sum of
/// no bytes is zero.
pub(super) fn join(polynomial: Polynomial, first: u64, second: u64, second_len: u64) -> u64 {
    polynomial.multiply(first, polynomial.power_of_x(second_len)) ^ second
}

impl Polynomial {
    /// The highest bit stands for x^0: bits are reflected.
    const fn one(self) -> u64 {
        1 << (self.bits - 1)
    }

    fn multiply(self, left: u64, right: u64) -> u64 {
        let mut product = 0;
        let mut shifted = right;
        for power in 0..self.bits {
            if left & (self.one() >> power) != 0 {
                product ^= shifted;
            }
            let carry = shifted & 1 != 0;
            shifted = (shifted >> 1) ^ if carry { self.reflected } else { 0 };
        }
        product
    }

    /// x to the power of eight times `bytes`, by squaring.
    fn power_of_x(self, bytes: u64) -> u64 {
        let mut power = self.one();
        let mut square = self.one() >> 8;
        let mut left = bytes;
        while left > 0 {
            if left & 1 != 0 {
                power = self.multiply(power, square);
            }
            square = self.multiply(square, square);
            left >>= 1;
        }
        power
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joining_agrees_with_summing() {
        let bytes: Vec<u8> = (0..5000_u32).map(|n| (n * 31 % 251) as u8).collect();
        for cut in [0, 1, 8, 1024, 4999, 5000] {
            let (head, tail) = bytes.split_at(cut);
            let sum = |bytes: &[u8]| u64::from(crc32fast::hash(bytes));
            assert_eq!(
                join(CRC32, sum(head), sum(tail), tail.len() as u64),
                sum(&bytes),
                "cut at {cut}"
            );
        }
    }
}
