use super::*;
use crate::sim::topology::Size;

fn topology(switches: usize) -> Topology {
    Topology { size: Size { hosts: 24, switches, ports: 28, seed: 1 } }
}

#[test]
fn both_ends_of_every_cable_name_each_other() {
    for switches in [3, 8, 40] {
        let topology = topology(switches);
        let campus = Campus { topology: &topology };
        let index = |name: &str| (0..switches).find(|s| topology.switch_name(*s) == name).expect("a switch");
        let mut cables = 0;
        for switch in 0..switches {
            for (port, far) in campus.cables(switch) {
                let other = index(&far.name);
                let back = campus.cables(other);
                let (_, back) =
                    back.iter().find(|(far_port, _)| campus.port_name(*far_port) == far.port).expect("the other end");
                assert_eq!(
                    (back.name.as_str(), back.port.as_str()),
                    (topology.switch_name(switch).as_str(), campus.port_name(port).as_str())
                );
                cables += 1;
            }
        }
        assert_eq!(cables, 2 * (switches - 2) + 4);
    }
}

#[test]
fn a_host_has_a_port_of_its_own_and_every_switch_hears_it_on_the_way_there() {
    let topology = topology(8);
    let campus = Campus { topology: &topology };
    let mut taken = Vec::new();
    for host in 0..24 {
        let home = topology.switch_of(host).expect("a switch");
        let place = (home, campus.host_port(host));
        assert!(!taken.contains(&place) && place.1 < 22, "{place:?}");
        taken.push(place);
        for switch in (0..8).filter(|s| *s != home) {
            let towards = campus.towards(switch, home);
            let cables = campus.cables(switch);
            assert!(towards == AGGREGATE || cables.iter().any(|(port, _)| port + 1 == towards), "{switch} to {home}");
        }
    }
}

#[test]
fn only_networks_of_the_size_of_a_demo_say_more_than_their_ports() {
    assert_eq!(says(&topology(8)).len(), 10);
    assert_eq!(topology(8).agents(), 10);
    assert_eq!((topology(8).agent_name(8), topology(8).agent_ports(9)), ("edge-rt1".to_owned(), 1));
    for switches in [0, 2, 65, 1_000] {
        assert!(says(&topology(switches)).is_empty());
        assert_eq!(topology(switches).agents(), switches);
    }
}
