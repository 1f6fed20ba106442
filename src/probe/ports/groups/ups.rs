//! UPS-MIB (RFC 1628): what a UPS of any maker says of source, battery and load.

use std::time::Duration;

use super::{Fixed, MAX_ROWS, Walk, Weight, values};
use crate::model::Equipment;
use crate::model::device::{PowerSource, SensorStatus, Ups};
use crate::probe::ports::cells::Tables;

/// `upsBatteryStatus`, `upsSecondsOnBattery`, `upsEstimatedMinutesRemaining`, `upsEstimatedChargeRemaining`,
/// `upsOutputSource`, `upsAlarmsPresent`.
const BATTERY: usize = 0;
const ON_BATTERY: usize = 1;
const MINUTES: usize = 2;
const CHARGE: usize = 3;
const SOURCE: usize = 4;
const ALARMS: usize = 5;
/// `upsOutputPercentLoad`, indexed by the output line.
const LOAD: usize = 0;

/// No UPS is loaded with more.
const MOST_LOAD: u64 = 300;

pub static GROUP: Fixed = Fixed {
    name: "ups",
    pace: Duration::from_secs(60),
    weight: Weight::Light,
    max_rows: MAX_ROWS,
    scalars: &[
        &[1, 3, 6, 1, 2, 1, 33, 1, 2, 1, 0],
        &[1, 3, 6, 1, 2, 1, 33, 1, 2, 2, 0],
        &[1, 3, 6, 1, 2, 1, 33, 1, 2, 3, 0],
        &[1, 3, 6, 1, 2, 1, 33, 1, 2, 4, 0],
        &[1, 3, 6, 1, 2, 1, 33, 1, 4, 1, 0],
        &[1, 3, 6, 1, 2, 1, 33, 1, 6, 1, 0],
    ],
    columns: &[&[1, 3, 6, 1, 2, 1, 33, 1, 4, 4, 1, 5]],
    fold,
};

fn fold(tables: &Tables<'_>, _: &Walk<'_>, equipment: &mut Equipment) {
    let number = |scalar| tables.scalar(scalar).and_then(values::number);
    let source = number(SOURCE).and_then(source);
    let charge = number(CHARGE).filter(|percent| *percent <= 100);
    // With mains and a full battery, no minutes left means that they are not estimated.
    let is_placeholder = |minutes: &u64| *minutes == 0 && source != Some(PowerSource::Battery) && charge != Some(0);
    let ups = Ups {
        source,
        on_battery_for: number(ON_BATTERY).map(Duration::from_secs),
        minutes_left: number(MINUTES).filter(|minutes| !is_placeholder(minutes)).map(|minutes| minutes as f64),
        charge_percent: charge.map(|percent| percent as f64),
        load_percent: tables
            .column(LOAD)
            .filter_map(|(_, value)| values::number(value).filter(|percent| *percent <= MOST_LOAD))
            .max()
            .map(|percent| percent as f64),
        battery: number(BATTERY).and_then(battery),
        alarms: number(ALARMS),
    };
    equipment.ups = (ups != Ups::default()).then_some(ups);
}

fn source(value: u64) -> Option<PowerSource> {
    Some(match value {
        1 => PowerSource::Other,
        2 => PowerSource::None,
        3 => PowerSource::Mains,
        4 => PowerSource::Bypass,
        5 => PowerSource::Battery,
        6 => PowerSource::Booster,
        7 => PowerSource::Reducer,
        _ => return None,
    })
}

/// unknown(1), batteryNormal(2), batteryLow(3), batteryDepleted(4).
fn battery(value: u64) -> Option<SensorStatus> {
    Some(match value {
        1 => SensorStatus::Unknown,
        2 => SensorStatus::Ok,
        3 => SensorStatus::Warning,
        4 => SensorStatus::Critical,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fed;
    use super::*;
    use crate::proto::snmp::Value;

    #[test]
    fn the_heaviest_line_is_the_load() {
        let fed = Fed::default()
            .scalar(BATTERY, Value::Integer(3))
            .scalar(ON_BATTERY, Value::Integer(45))
            .scalar(MINUTES, Value::Integer(0))
            .scalar(CHARGE, Value::Integer(80))
            .scalar(SOURCE, Value::Integer(5))
            .scalar(ALARMS, Value::Gauge32(2))
            .cell(LOAD, &[1, 0], Value::Integer(21))
            .cell(LOAD, &[2, 0], Value::Integer(34))
            .cell(LOAD, &[3, 0], Value::Integer(65_535));
        let want = Ups {
            source: Some(PowerSource::Battery),
            on_battery_for: Some(Duration::from_secs(45)),
            minutes_left: Some(0.0),
            charge_percent: Some(80.0),
            load_percent: Some(34.0),
            battery: Some(SensorStatus::Warning),
            alarms: Some(2),
        };
        assert_eq!(fed.fold(&GROUP).ups, Some(want));
    }

    #[test]
    fn placeholders_are_unknown_and_a_device_that_is_no_ups_has_none() {
        let fed = Fed::default()
            .scalar(MINUTES, Value::Integer(0))
            .scalar(CHARGE, Value::Integer(100))
            .scalar(SOURCE, Value::Integer(3));
        let ups = fed.fold(&GROUP).ups.expect("a UPS");
        assert_eq!((ups.minutes_left, ups.charge_percent), (None, Some(100.0)));
        let unknown = Fed::default().scalar(MINUTES, Value::Integer(-1)).scalar(CHARGE, Value::Integer(-1));
        assert_eq!(unknown.fold(&GROUP).ups, None);
    }
}
