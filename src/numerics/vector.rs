//! The widest vector instructions that the processor has.
//!
//! A program for every machine may use only what each of them has; what a loop gains by wider registers is decided when
//! it runs. Results keep their bits: the compiler takes more lanes in one instruction, and neither joins a product and a sum
//! nor changes the order of a sum.

use pulp::{Arch, Scalar256b, Simd, WithSimd};

/// Work whose loops gain by wide registers.
pub(crate) trait Wide {
    /// What it gives.
    type Output;

    /// Does it. To be marked `#[inline(always)]`, and so all that it calls in its loops: a function that stands alone is
    /// compiled for every machine.
    fn run(self) -> Self::Output;
}

struct Own<W>(W);

impl<W: Wide> WithSimd for Own<W> {
    type Output = W::Output;

    #[allow(
        clippy::inline_always,
        reason = "compiled anew for every width of registers"
    )]
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> W::Output {
        self.0.run()
    }
}

/// Does `work` with the widest registers that there are. Some nanoseconds of a call, so that the work should be longer.
pub(crate) fn widest<W: Wide>(work: W) -> W::Output {
    Arch::new().dispatch(Own(work))
}

/// Work that is written down in registers, for loops that the compiler does not see through.
pub(crate) trait InRegisters {
    /// What it gives.
    type Output;

    /// Does it, with arithmetic of which each lane gives what it would give alone. To be marked as [`Wide::run`].
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

struct Written<W>(W);

impl<W: InRegisters> WithSimd for Written<W> {
    type Output = W::Output;

    #[allow(
        clippy::inline_always,
        reason = "compiled anew for every width of registers"
    )]
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> W::Output {
        self.0.run(simd)
    }
}

/// Does `work` with four numbers of 64 bits in a register, the lanes of its sums.
pub(crate) fn in_fours<W: InRegisters>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return Simd::vectorize(simd, Written(work));
    }
    Scalar256b.vectorize(Written(work))
}

/// Does `work` with the widest registers that there are, where no result depends on how many lanes they have.
pub(crate) fn in_widest<W: InRegisters>(work: W) -> W::Output {
    Arch::new().dispatch(Written(work))
}
