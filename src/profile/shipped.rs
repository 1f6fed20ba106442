//! The shipped profiles' texts. Made by the test `documents` from what lies in `config/profiles`.

/// Name and text, by name.
pub const FILES: &[(&str, &str)] = &[
    ("apc/card", include_str!("../../config/profiles/apc/card.toml")),
    ("apc/ups", include_str!("../../config/profiles/apc/ups.toml")),
    ("cisco/common", include_str!("../../config/profiles/cisco/common.toml")),
    ("cisco/ios", include_str!("../../config/profiles/cisco/ios.toml")),
    ("cisco/iosxe", include_str!("../../config/profiles/cisco/iosxe.toml")),
    ("fortinet/fortigate", include_str!("../../config/profiles/fortinet/fortigate.toml")),
    ("generic/any", include_str!("../../config/profiles/generic/any.toml")),
    ("juniper/junos", include_str!("../../config/profiles/juniper/junos.toml")),
    ("linux/net-snmp", include_str!("../../config/profiles/linux/net-snmp.toml")),
];
