//! Names, as their documentation promises them.

use core::fmt;
use std::ffi::CString;

use proptest::prelude::*;
use rawipc::{Errno, Name};

#[test]
fn slash_in_front_is_optional_and_no_part_of_the_name() {
    let with = Name::new(b"/pi").unwrap();
    assert_eq!(Name::new(b"pi"), Ok(with));
    assert_eq!((with.as_bytes(), with.as_c_str()), (&b"pi"[..], c"pi"));
    assert_eq!(with.to_string(), "/pi");
    assert_eq!(format!("{with:?}"), "Name(\"/pi\")");
}

#[test]
fn lengths_from_1_to_255_are_taken() {
    for len in [1, 2, 254, 255] {
        let name = vec![b'n'; len];
        assert_eq!(Name::new(&name).unwrap().as_bytes(), name);
        assert_eq!(Name::new(&[b"/", &name[..]].concat()).unwrap().as_bytes(), name);
    }
    assert_eq!(Name::new(&[b'n'; 256]), Err(Errno::NAMETOOLONG));
    assert_eq!(Name::new(&[b"/", &[b'n'; 256][..]].concat()), Err(Errno::NAMETOOLONG));
    assert_eq!(Name::new(&vec![b'n'; 100_000]), Err(Errno::NAMETOOLONG));
}

#[test]
fn what_the_kernel_would_not_take_for_a_name_is_refused() {
    for bad in ["", "/", "//", "//a", "/a/", "a/b", "/a/b", ".", "..", "/.", "/..", "a\0b", "\0"] {
        assert_eq!(bad.parse::<Name>(), Err(Errno::INVAL), "{bad:?}");
    }
    for good in ["...", "..a", ".a", "a.", " ", "ä", "a\n"] {
        assert_eq!(good.parse::<Name>().unwrap().as_bytes(), good.as_bytes());
    }
}

#[test]
fn every_way_to_make_one_checks_the_same() {
    let (text, bytes, c) = ("/pi", &b"/pi"[..], CString::new("/pi").unwrap());
    let name = Name::new(bytes);
    assert_eq!(Name::try_from(text), name);
    assert_eq!(Name::try_from(bytes), name);
    assert_eq!(Name::try_from(c.as_c_str()), name);
    assert_eq!(Name::format(format_args!("/p{}", 'i')), name);
    assert_eq!(Name::try_from("a/b"), Err(Errno::INVAL));
    assert_eq!(Name::try_from(c"a/b"), Err(Errno::INVAL));
    assert_eq!(Name::format(format_args!("a{}b", '/')), Err(Errno::INVAL));
}

#[test]
fn formatting_ends_where_a_name_does() {
    assert_eq!(Name::format(format_args!("/{:0>255}", 7)).unwrap().as_bytes().len(), 255);
    assert_eq!(Name::format(format_args!("{:0>255}", 7)).unwrap().as_bytes().len(), 255);
    assert_eq!(Name::format(format_args!("{:0>256}", 7)), Err(Errno::NAMETOOLONG));
    assert_eq!(Name::format(format_args!("/{:0>256}", 7)), Err(Errno::NAMETOOLONG));
}

#[test]
fn argument_that_cannot_be_shown_makes_no_name() {
    struct Mute;
    impl fmt::Display for Mute {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Err(fmt::Error)
        }
    }
    assert_eq!(Name::format(format_args!("/pi{Mute}")), Err(Errno::INVAL));
}

#[test]
fn argument_that_goes_on_without_room_makes_no_name() {
    struct Careless;
    impl fmt::Display for Careless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            for part in ["a", &"n".repeat(300), "b"] {
                let _ = f.write_str(part);
            }
            Ok(())
        }
    }
    assert_eq!(Name::format(format_args!("/{Careless}")), Err(Errno::NAMETOOLONG));
}

#[test]
fn what_is_not_utf8_is_shown_replaced_and_kept_as_it_is() {
    let name = Name::new(b"/a\xffb\xc3").unwrap();
    assert_eq!(name.to_string(), "/a\u{fffd}b\u{fffd}");
    assert_eq!(format!("{name:?}"), "Name(\"/a\\xffb\\xc3\")");
    assert_eq!(name.as_bytes(), b"a\xffb\xc3");
}

proptest! {
    #[test]
    fn any_bytes_make_the_name_they_spell_or_an_error(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300),
            prop::collection::vec(prop::sample::select(&b"/.\0ab"[..]), 0..6),
        ]
    ) {
        let rest = bytes.strip_prefix(b"/").unwrap_or(&bytes);
        let bad = rest.is_empty() || rest == b"." || rest == b".."
            || rest.contains(&b'/') || rest.contains(&0);
        match Name::new(&bytes) {
            Ok(name) => {
                prop_assert!(!bad && rest.len() <= 255);
                prop_assert_eq!(name.as_bytes(), rest);
                prop_assert_eq!(name.as_c_str().to_bytes(), rest);
                prop_assert_eq!(Name::new(name.as_bytes()), Ok(name));
            }
            Err(Errno::INVAL) => prop_assert!(bad),
            Err(errno) => {
                prop_assert_eq!(errno, Errno::NAMETOOLONG);
                prop_assert!(rest.len() > 255);
            }
        }
    }
}
