//! What a configuration template is, and what may be said about one.

use std::collections::BTreeSet;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::control::actions::SettingInput;
use crate::filters;
use crate::http::fields::{Field, Mandatory, MetaData, Path, wrong};
use crate::http::{Faults, Versioned};
use crate::store::Json;
use crate::store::schema::configuration_templates;
use crate::{input, json_schema, patch};
use kernel::Protocol;
use kernel::cards::HIDDEN;
use kernel::credentials::is_secret;
use kernel::text::{Code, Name, Note};
use kernel::*;

/// Keys that are changed together when a template does not say otherwise.
const BATCH: i32 = 10;

/// A key and the value it should have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Setting {
    /// The key.
    pub key: String,
    /// Its value.
    pub value: String,
}

impl From<SettingInput> for Setting {
    fn from(input: SettingInput) -> Self {
        Self { key: input.key.into(), value: input.value.0 }
    }
}

impl Setting {
    /// As everybody may see it: passwords and keys are not shown again.
    fn shown(self) -> Self {
        match is_secret(&self.key) {
            true => Self { value: HIDDEN.to_owned(), ..self },
            false => self,
        }
    }

    /// As it is meant by somebody who was shown those before: what was hidden stays as it is.
    fn meant(self, before: &[Self]) -> Self {
        let kept = before.iter().find(|old| old.key == self.key);
        match kept.filter(|_| self.value == HIDDEN && is_secret(&self.key)) {
            Some(kept) => kept.clone(),
            None => self,
        }
    }
}

/// How many keys are changed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchSize(pub i32);

json_schema!(BatchSize, {"type": "integer", "minimum": 1, "maximum": 100});

impl Field for BatchSize {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let size = value.as_i64().and_then(|size| i32::try_from(size).ok());
        size.filter(|size| (1..=100).contains(size))
            .map(Self)
            .or_else(|| wrong(at, faults, "a whole number from 1 to 100"))
    }
}

input! {
    /// A new configuration template.
    #[schema(example = json!({
        "name": "Sample every minute", "priority": 10, "protocol": "ocpp1.6",
        "settings": [{"key": "MeterValueSampleInterval", "value": "60"}]
    }))]
    pub struct NewTemplate {
        /// Display name.
        #[schema(example = "Sample every minute")]
        pub name: Name,
        /// A code of your own.
        pub code: Option<Code>,
        /// Description.
        pub description: Option<Note>,
        /// Whether it is applied; true when absent.
        pub active: Option<bool>,
        /// From when.
        pub valid_from: Option<Timestamp>,
        /// Until when.
        pub valid_to: Option<Timestamp>,
        /// The highest decides about a key that several templates set; 0 when absent.
        pub priority: Option<i32>,
        /// Only for stations that speak this.
        pub protocol: Option<Protocol>,
        /// Only for stations at this location.
        pub location: Option<LocationId>,
        /// The keys and their values.
        pub settings: Vec<SettingInput>,
        /// How many keys are read, changed and read again together; 10 when absent.
        pub batch_size: Option<BatchSize>,
        /// JSON of your own.
        pub meta_data: Option<MetaData>,
    }
}

patch! {
    /// Changes of a configuration template (JSON merge patch).
    #[schema(example = json!({"priority": 20, "description": "Agreed with the vendor"}))]
    pub struct TemplatePatch {
        /// Display name.
        pub name: Name,
        /// A code of your own.
        pub code: Code,
        /// Description.
        pub description: Note,
        /// Whether it is applied.
        pub active: bool,
        /// From when.
        pub valid_from: Timestamp,
        /// Until when.
        pub valid_to: Timestamp,
        /// The highest decides about a key that several templates set.
        pub priority: i32,
        /// Only for stations that speak this.
        pub protocol: Protocol,
        /// Only for stations at this location.
        pub location: LocationId,
        /// The keys and their values; replaced as a whole. A secret one that is sent as it is shown, `(hidden)`, stays as it is.
        pub settings: Vec<SettingInput>,
        /// How many keys are changed together.
        pub batch_size: BatchSize,
        /// JSON of your own.
        pub meta_data: MetaData,
    }
}

/// A stored configuration template.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = configuration_templates, treat_none_as_null = true)]
pub struct Template {
    pub id: TemplateId,
    pub organization_id: OrganizationId,
    pub name: String,
    pub code: Option<String>,
    pub description: Option<String>,
    pub active: bool,
    pub valid_from: Option<Timestamp>,
    pub valid_to: Option<Timestamp>,
    pub priority: i32,
    pub protocol: Option<Protocol>,
    pub location_id: Option<LocationId>,
    pub settings: Json<Vec<Setting>>,
    pub batch_size: i32,
    pub meta_data: Json<MetaData>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

fn settings(given: Vec<SettingInput>) -> Vec<Setting> {
    given.into_iter().map(Setting::from).collect()
}

impl Template {
    /// The template that `new` describes.
    pub(super) fn new(new: NewTemplate, organization_id: OrganizationId, moment: &Moment) -> Result<Self, Faults> {
        let template = Self {
            id: moment.id(),
            organization_id,
            name: new.name.into(),
            code: new.code.map(String::from),
            description: new.description.map(String::from),
            active: new.active.unwrap_or(true),
            valid_from: new.valid_from,
            valid_to: new.valid_to,
            priority: new.priority.unwrap_or(0),
            protocol: new.protocol,
            location_id: new.location,
            settings: Json(settings(new.settings)),
            batch_size: new.batch_size.map_or(BATCH, |size| size.0),
            meta_data: Json(new.meta_data.unwrap_or_default()),
            created_at: moment.now,
            updated_at: moment.now,
        };
        template.checked(Faults::default())
    }

    /// Applies a patch; what must not be empty refuses null.
    pub(super) fn apply(mut self, patch: TemplatePatch, moment: &Moment) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        patch.name.map(String::from).set(&mut self.name, "name", &mut faults);
        patch.code.map(String::from).apply(&mut self.code);
        patch.description.map(String::from).apply(&mut self.description);
        patch.active.apply_or(&mut self.active, true);
        patch.valid_from.apply(&mut self.valid_from);
        patch.valid_to.apply(&mut self.valid_to);
        patch.priority.apply_or(&mut self.priority, 0);
        patch.protocol.apply(&mut self.protocol);
        patch.location.apply(&mut self.location_id);
        let before = self.settings.0.clone();
        let meant = |given| {
            let given = settings(given).into_iter();
            Json(given.map(|one| one.meant(&before)).collect())
        };
        patch.settings.map(meant).set(&mut self.settings, "settings", &mut faults);
        patch.batch_size.map(|size| size.0).apply_or(&mut self.batch_size, BATCH);
        patch.meta_data.map(Json).apply_or(&mut self.meta_data, Json::default());
        self.updated_at = moment.version_after(self.updated_at);
        self.checked(faults)
    }

    fn checked(self, mut faults: Faults) -> Result<Self, Faults> {
        if self.valid_from.zip(self.valid_to).is_some_and(|(from, to)| from >= to) {
            faults.add("valid_to", "out_of_range", "must be after valid_from");
        }
        let mut seen = BTreeSet::new();
        for (index, setting) in self.settings.0.iter().enumerate() {
            if !seen.insert(setting.key.to_lowercase()) {
                let field = format!("settings[{index}].key");
                faults.add(field, "already_exists", "is set twice");
            }
            if setting.value == HIDDEN && is_secret(&setting.key) {
                let field = format!("settings[{index}].value");
                faults.add(field, "invalid", "must be the value itself: the template had none before");
            }
        }
        if faults.is_empty() { Ok(self) } else { Err(faults) }
    }

    /// Whether it applies at this instant.
    pub(super) fn is_valid(&self, now: Timestamp) -> bool {
        self.active && self.valid_from.is_none_or(|from| from <= now) && self.valid_to.is_none_or(|to| now < to)
    }
}

/// Settings that are read, changed and read again together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The template they come from.
    pub template: TemplateId,
    /// The settings.
    pub settings: Vec<Setting>,
}

/// What templates ask for, the highest priority first; a key that one sets is left alone by those after it.
pub fn batches(mut templates: Vec<Template>) -> Vec<Batch> {
    templates.sort_by_key(|template| (std::cmp::Reverse(template.priority), template.id));
    let mut decided = BTreeSet::new();
    let mut all = Vec::new();
    for template in templates {
        let mut left = template.settings.0;
        left.retain(|setting| decided.insert(setting.key.to_lowercase()));
        let size = usize::try_from(template.batch_size).unwrap_or(1).max(1);
        all.extend(left.chunks(size).map(|settings| Batch { template: template.id, settings: settings.to_vec() }));
    }
    all
}

/// A configuration template as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct TemplateView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: TemplateId,
    /// Display name.
    pub name: String,
    /// A code of your own.
    pub code: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Whether it is applied.
    pub active: bool,
    /// From when.
    pub valid_from: Option<Timestamp>,
    /// Until when.
    pub valid_to: Option<Timestamp>,
    /// The highest decides about a key that several templates set.
    pub priority: i32,
    /// Only for stations that speak this.
    pub protocol: Option<Protocol>,
    /// Only for stations at this location.
    pub location: Option<LocationId>,
    /// The keys and their values; passwords and keys are shown as `(hidden)`.
    pub settings: Vec<Setting>,
    /// How many keys are changed together.
    pub batch_size: i32,
    /// JSON of your own.
    pub meta_data: MetaData,
    /// When it was created.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
}

impl From<Template> for TemplateView {
    fn from(template: Template) -> Self {
        Self {
            id: template.id,
            name: template.name,
            code: template.code,
            description: template.description,
            active: template.active,
            valid_from: template.valid_from,
            valid_to: template.valid_to,
            priority: template.priority,
            protocol: template.protocol,
            location: template.location_id,
            settings: template.settings.0.into_iter().map(Setting::shown).collect(),
            batch_size: template.batch_size,
            meta_data: template.meta_data.0,
            created_at: template.created_at,
            updated_at: template.updated_at,
        }
    }
}

impl Versioned for TemplateView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

filters! {
    /// Filters of configuration templates.
    pub struct TemplateFilter {
        /// Only those that are applied, or only those that are not.
        pub active: bool,
        /// Only those for this protocol alone.
        #[param(inline)]
        pub protocol: Protocol,
        /// Only those for this location alone.
        pub location: LocationId,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn template(priority: i32, batch_size: i32, keys: &[&str]) -> Template {
        let moment = Moment::new(Timestamp::default(), std::sync::Arc::new(CountingIds::default()));
        let settings: Vec<Value> = keys.iter().map(|key| json!({"key": key, "value": priority})).collect();
        let body = json!({"name": "T", "priority": priority, "settings": settings, "batch_size": batch_size});
        let new = NewTemplate::read(&body, Path::Root, &mut Faults::default()).expect("valid");
        Template::new(new, moment.id(), &moment).expect("valid")
    }

    #[test]
    fn the_highest_priority_decides_and_batches_have_their_size() {
        let all = batches(vec![template(1, 10, &["A", "B"]), template(5, 2, &["a", "C", "D"])]);
        let keys: Vec<Vec<(&str, &str)>> = all
            .iter()
            .map(|batch| batch.settings.iter().map(|one| (one.key.as_str(), one.value.as_str())).collect())
            .collect();
        assert_eq!(keys, [vec![("a", "5"), ("C", "5")], vec![("D", "5")], vec![("B", "1")]]);
    }
}
