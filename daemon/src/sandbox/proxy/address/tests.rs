use super::*;

fn check(addresses: &[&str], public: bool) {
    for address in addresses {
        assert_eq!(is_public(address.parse().expect("an address")), public, "{address}");
    }
}

#[test]
fn what_anybody_can_reach_is_public() {
    check(&["1.1.1.1", "100.63.0.1", "172.32.0.1", "192.0.1.1", "223.255.255.255"], true);
    check(&["2606:4700::1111", "2a00:1450::1", "64:ff9b::1.1.1.1", "::ffff:8.8.8.8", "2002:0808:0808::1"], true);
}

#[test]
fn what_is_near_is_not() {
    check(&["127.0.0.1", "127.9.9.9", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1"], false);
    check(&["169.254.169.254", "100.64.0.1", "198.18.0.1", "192.0.0.8", "224.0.0.1", "255.255.255.255"], false);
    check(&["::", "::1", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "3fff::1", "2001::1"], false);
}

#[test]
fn what_is_near_is_not_public_in_other_clothes() {
    check(&["::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::10.0.0.1", "2002:7f00:1::1"], false);
}
