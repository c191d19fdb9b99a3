//! How much call stack is left: what turns endless recursion into an error instead of the end of the process.

/// Bytes of stack that [`on_render_stack`] gives a render: enough for a thousand nested includes of each of many templates, and
/// little enough that a template that calls itself ends within 200 MiB. Only touched pages cost memory.
pub const STACK_BYTES: usize = 128 << 20;

/// Bytes used before a limit strikes where the caller gave no stack of its own; main threads have 8 MiB, others 2 MiB.
const BORROWED_BYTES: usize = 1 << 20;

/// Left free above the end of the stack for what runs between two checks: a function, a formatter, a parser.
const RESERVE_BYTES: usize = 1 << 20;

/// The lowest address that recursion may reach on the thread that made it. Stacks grow downwards on every supported platform.
#[derive(Clone, Copy, Debug)]
pub struct Stack {
    floor: usize,
}

impl Stack {
    /// The part of the current thread's stack that may be used safely without knowing how large it is.
    pub fn borrowed() -> Stack {
        Stack { floor: here().saturating_sub(BORROWED_BYTES) }
    }

    /// The next `bytes` of the current thread's stack, which the caller knows to be there with some to spare.
    pub fn within(bytes: usize) -> Stack {
        Stack { floor: here().saturating_sub(bytes) }
    }

    /// True while there is room for another level.
    #[inline]
    pub(super) fn has_room(self) -> bool {
        here() > self.floor
    }
}

/// Runs a render on a deep stack and hands it the [`Stack`] to pass on: the one that the thread has, if it is as deep, or else one
/// made for the render. The thread stays the same: one more would begin with cold memory, and to be waited for.
pub fn on_render_stack<R>(run: impl FnOnce(Stack) -> R) -> R {
    let render = || run(Stack { floor: here().saturating_sub(STACK_BYTES - RESERVE_BYTES) });
    match stacker::remaining_stack() {
        Some(left) if left >= STACK_BYTES => render(),
        _ => stacker::grow(STACK_BYTES, render),
    }
}

#[inline]
fn here() -> usize {
    let marker = 0_u8;
    std::hint::black_box(&raw const marker).addr()
}
