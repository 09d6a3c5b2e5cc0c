//! Any bytes are a sum: of what, nobody knows, but nothing fails and nothing hangs.

use proptest::collection::vec;
use proptest::prelude::*;
use rawipc::sum::{ExactSum, ShardedSum};
use rawipc::zerocopy::FromBytes;

/// Words of any value, many of them small or at an edge, as many as it takes.
fn image<T>() -> impl Strategy<Value = Vec<u8>> {
    let edge = prop_oneof![Just(0), Just(u64::MAX), Just(i64::MAX as u64), Just(1 << 63)];
    let word = prop_oneof![any::<u64>(), 0..50_u64, edge, 0..0x3f_0000_u64];
    vec(word, size_of::<T>() / 8)
        .prop_map(|words| words.into_iter().flat_map(u64::to_ne_bytes).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_an_exact_sum(bytes in image::<ExactSum<2>>(), value in any::<f64>()) {
        let sum = ExactSum::<2>::read_from_bytes(&bytes).unwrap();
        let _any = sum.sum();
        if let Some(mut adder) = sum.adder() {
            adder.add(value);
            adder.add_slice(&[value; 100]);
        }
        let mut adder = sum.reclaim(1).unwrap();
        for value in [value, f64::MAX, f64::MIN, 5e-324, -0.0, f64::NAN, f64::INFINITY] {
            adder.add(value);
            adder.add_slice(&[value; 5000]);
            let _any = sum.sum();
        }
        drop(adder);
        prop_assert!(sum.adder_in(1).is_some());
    }

    #[test]
    fn any_bytes_are_a_sharded_sum(bytes in image::<ShardedSum<2>>(), value in any::<f64>()) {
        let sum = ShardedSum::<2>::read_from_bytes(&bytes).unwrap();
        let _any = sum.sum();
        if let Some(mut adder) = sum.adder() {
            adder.add(value);
        }
        sum.reclaim(1).unwrap().add(value);
        let _any = sum.sum();
        prop_assert!(sum.adder_in(1).is_some());
    }
}
