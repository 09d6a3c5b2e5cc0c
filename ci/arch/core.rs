//! As much of `core` as `program.rs` and the files of src/sys/arch/ name, for targets whose real
//! one is not installed.

#![feature(no_core, lang_items, rustc_attrs, decl_macro)]
#![allow(internal_features)]
#![no_std]
#![no_core]
#![rustc_coherence_is_core]

#[lang = "pointee_sized"]
pub trait PointeeSized {}

#[lang = "meta_sized"]
pub trait MetaSized: PointeeSized {}

#[lang = "sized"]
pub trait Sized: MetaSized {}

#[lang = "copy"]
pub trait Copy: Sized {}

impl Copy for i64 {}
impl Copy for u32 {}
impl Copy for usize {}
impl<T: PointeeSized> Copy for *const T {}

#[lang = "legacy_receiver"]
pub trait LegacyReceiver {}

impl<T: PointeeSized> LegacyReceiver for &T {}

#[lang = "eq"]
pub trait PartialEq<Rhs: PointeeSized = Self>: PointeeSized {
    fn eq(&self, other: &Rhs) -> bool;
    fn ne(&self, other: &Rhs) -> bool;
}

impl PartialEq for usize {
    fn eq(&self, other: &usize) -> bool {
        *self == *other
    }

    fn ne(&self, other: &usize) -> bool {
        *self != *other
    }
}

impl<T, const N: usize> [T; N] {
    pub fn as_ptr(&self) -> *const T {
        self as *const [T; N] as *const T
    }
}

pub mod arch {
    #[rustc_builtin_macro]
    pub macro asm("template", $(operands,)* $(options($(option),*))?) {}
}
