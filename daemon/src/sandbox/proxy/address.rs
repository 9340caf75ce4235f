//! Which addresses are of the public network. Pure. The ranges are those of the IANA special-purpose address registries.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is neither of this machine, nor of its own network, nor of no use at all.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let is_shared = first == 100 && (64..128).contains(&second);
    let is_protocol = first == 192 && second == 0 && third == 0;
    let is_relay = first == 192 && second == 88 && third == 99;
    let is_benchmark = first == 198 && (18..20).contains(&second);
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || is_shared
        || is_protocol
        || is_relay
        || is_benchmark;
    // 0.0.0.0/8 is this machine, 224.0.0.0 and above are groups and what is reserved.
    !is_special && first != 0 && first < 224
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    if let Some(inner) = carried_v4(segments) {
        return is_public_v4(inner);
    }
    let [first, second, ..] = segments;
    // Only 2000::/3 is given out; of it, 2001::/23 is for protocols and 2001:db8::/32 and 3fff::/20 for books.
    let is_given_out = first & 0xe000 == 0x2000;
    let is_special = first == 0x2001 && (second < 0x200 || second == 0xdb8) || first == 0x3fff && second < 0x1000;
    is_given_out && !is_special
}

/// The address of the old network that one of the new one stands for: mapped, compatible, translated, or carried by 6to4.
fn carried_v4(segments: [u16; 8]) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, high, low] = segments;
    let from = |high: u16, low: u16| {
        let ([first, second], [third, fourth]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(first, second, third, fourth)
    };
    match (a, b, [c, d, e, f]) {
        (0, 0, [0, 0, 0, 0 | 0xffff]) | (0x64, 0xff9b, [0, 0, 0, 0]) => Some(from(high, low)),
        (0x2002, ..) => Some(from(b, c)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
