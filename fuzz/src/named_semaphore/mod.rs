//! Semaphores that have names, and other files that have such names: against what the files hold.

#[cfg(target_pointer_width = "64")]
mod files;
#[cfg(target_pointer_width = "64")]
mod semaphores;

pub(super) fn run(data: &[u8]) {
    #[cfg(target_pointer_width = "64")]
    semaphores::run(data);
    // On others there are none.
    #[cfg(not(target_pointer_width = "64"))]
    let _ = data;
}
