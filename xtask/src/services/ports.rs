//! Ports that are free, and likely to stay so. Must not hold one.

use std::net::{Ipv4Addr, TcpListener};

/// Below what Linux gives to connections by itself: while a part is stopped, no connection takes its port.
const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;

/// Different free ports of 127.0.0.1, each found free when it is taken. Programs with other numbers look elsewhere first, so that
/// two that look at the same time do not find the same.
pub(super) fn free() -> impl Iterator<Item = u16> {
    candidates(std::process::id()).filter(is_free)
}

/// Every port of the range once, from a place that depends on the number.
fn candidates(number: u32) -> impl Iterator<Item = u16> {
    // Steps of a prime's length spread neighbouring numbers over the range.
    let start = u16::try_from(u64::from(number) * 7919 % u64::from(COUNT)).unwrap_or(0);
    (0..COUNT).map(move |i| FIRST + (start + i) % COUNT)
}

fn is_free(port: &u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_port_of_the_range_is_tried_once() {
        for number in [0, 1, 4711, u32::MAX] {
            let all: Vec<u16> = candidates(number).collect();
            let different: BTreeSet<u16> = all.iter().copied().collect();
            assert_eq!((all.len(), different.len()), (10_000, 10_000), "{number}");
            assert!(all.iter().all(|port| (20_000..30_000).contains(port)), "{number}");
        }
        assert_ne!(candidates(1).next(), candidates(2).next());
    }

    #[test]
    fn a_port_that_is_taken_is_not_free() {
        let port = free().next().unwrap();
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(!is_free(&port));
        let others: BTreeSet<u16> = free().take(7).collect();
        assert!(others.len() == 7 && !others.contains(&port));
    }
}
