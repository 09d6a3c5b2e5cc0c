use core::arch::asm;

#[inline]
pub(in crate::sys) unsafe fn syscall(number: usize, arguments: [usize; 6]) -> usize {
    let [a0, a1, a2, a3, a4, a5] = arguments;
    let block = [number, a0, a1, a2, a3, a4, a5];
    let returned;
    // SAFETY: the caller vouches for the call. ebx, esi and ebp are not ours to name as operands,
    // so all registers are loaded from `block`, and those three are restored from the stack.
    unsafe {
        asm!(
            "push ebx",
            "push esi",
            "push ebp",
            "mov ebx, [eax + 4]",
            "mov ecx, [eax + 8]",
            "mov edx, [eax + 12]",
            "mov esi, [eax + 16]",
            "mov edi, [eax + 20]",
            "mov ebp, [eax + 24]",
            "mov eax, [eax]",
            "int 0x80",
            "pop ebp",
            "pop esi",
            "pop ebx",
            inlateout("eax") block.as_ptr() => returned,
            lateout("ecx") _,
            lateout("edx") _,
            lateout("edi") _,
        );
    }
    returned
}
