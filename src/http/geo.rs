//! Distances on the globe, and GeoJSON.

use serde_json::{Value, json};

use super::query::Near;

/// Mean radius of the earth.
const EARTH_RADIUS_KM: f64 = 6371.0088;

/// Great-circle distance in kilometres (haversine formula), to the metre.
pub fn distance_km(near: Near, longitude: f64, latitude: f64) -> f64 {
    let (lat1, lat2) = (near.latitude.to_radians(), latitude.to_radians());
    let half_lat = ((lat2 - lat1) / 2.0).sin();
    let half_lng = ((longitude - near.longitude).to_radians() / 2.0).sin();
    let chord = half_lat * half_lat + lat1.cos() * lat2.cos() * half_lng * half_lng;
    let distance = 2.0 * EARTH_RADIUS_KM * chord.sqrt().min(1.0).asin();
    (distance * 1000.0).round() / 1000.0
}

/// Kilometres of a degree of latitude.
const DEGREE_KM: f64 = 111.0;

/// Degrees between which everything is that is near a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// West and east.
    pub longitudes: (f64, f64),
    /// South and north.
    pub latitudes: (f64, f64),
}

impl Bounds {
    /// Around a place: a little too large, never too small. Where they would cross a pole or the date line, all longitudes.
    pub fn around(near: Near, radius_km: f64) -> Self {
        let span = radius_km / DEGREE_KM;
        let latitudes = (near.latitude - span, near.latitude + span);
        let widest = latitudes.0.abs().max(latitudes.1.abs());
        let across = if widest < 89.0 { span / widest.to_radians().cos() } else { 360.0 };
        let longitudes = (near.longitude - across, near.longitude + across);
        let all = longitudes.0 < -180.0 || longitudes.1 > 180.0;
        Self { longitudes: if all { (-180.0, 180.0) } else { longitudes }, latitudes }
    }
}

/// Where a row is, by its `coordinates` field of `[longitude, latitude]`.
pub fn place_of(row: &Value) -> Option<(f64, f64)> {
    let coordinates = row.get("coordinates")?;
    Some((coordinates.get(0)?.as_f64()?, coordinates.get(1)?.as_f64()?))
}

/// A FeatureCollection of rows; one without a place has a null geometry, as RFC 7946 allows.
pub fn feature_collection(rows: Vec<Value>) -> Value {
    let features: Vec<Value> = rows
        .into_iter()
        .map(|row| {
            let geometry =
                place_of(&row).map_or(Value::Null, |(lng, lat)| json!({"type": "Point", "coordinates": [lng, lat]}));
            let id = row.get("_id").cloned().unwrap_or_default();
            json!({"type": "Feature", "id": id, "geometry": geometry, "properties": row})
        })
        .collect();
    json!({"type": "FeatureCollection", "features": features})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_all_that_is_within_the_radius() {
        let near = |longitude, latitude| Near { longitude, latitude, radius_km: None, driving: false };
        let bounds = Bounds::around(near(4.8952, 52.3702), 430.5);
        let holds = |(least, most): (f64, f64), degrees: f64| (least..=most).contains(&degrees);
        assert!(holds(bounds.longitudes, 2.3522) && holds(bounds.latitudes, 48.8566), "{bounds:?}");
        assert!(!holds(bounds.longitudes, -6.0) && !holds(bounds.latitudes, 48.0), "{bounds:?}");
        assert_eq!(Bounds::around(near(179.9, 0.0), 50.0).longitudes, (-180.0, 180.0));
        assert_eq!(Bounds::around(near(0.0, 89.9), 50.0).longitudes, (-180.0, 180.0));
    }

    #[test]
    fn amsterdam_to_paris_is_430_kilometres() {
        let amsterdam = Near { longitude: 4.8952, latitude: 52.3702, radius_km: None, driving: false };
        let distance = distance_km(amsterdam, 2.3522, 48.8566);
        assert!((distance - 430.0).abs() < 2.0, "{distance}");
    }
}
