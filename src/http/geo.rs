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
    fn amsterdam_to_paris_is_430_kilometres() {
        let amsterdam = Near { longitude: 4.8952, latitude: 52.3702, radius_km: None, driving: false };
        let distance = distance_km(amsterdam, 2.3522, 48.8566);
        assert!((distance - 430.0).abs() < 2.0, "{distance}");
    }
}
