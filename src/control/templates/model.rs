//! What a configuration template is, and what may be said about one.

use std::collections::BTreeSet;

use diesel::prelude::*;
use resource::resource;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::control::actions::SettingInput;
use crate::filters;
use crate::http::Faults;
use crate::http::fields::{Field, MetaData, Path, wrong};
use crate::json_schema;
use crate::store::Json;
use crate::store::schema::configuration_templates;
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

impl From<BatchSize> for i32 {
    fn from(size: BatchSize) -> Self {
        size.0
    }
}

json_schema!(BatchSize, {"type": "integer", "minimum": 1, "maximum": 100});

impl Field for BatchSize {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let size = value.as_i64().and_then(|size| i32::try_from(size).ok());
        size.filter(|size| (1..=100).contains(size))
            .map(Self)
            .or_else(|| wrong(at, faults, "a whole number from 1 to 100"))
    }
}

#[resource(
    new(
        "A new configuration template.",
        function = begin,
        example = json!({
            "name": "Sample every minute", "priority": 10, "protocol": "ocpp1.6",
            "settings": [{"key": "MeterValueSampleInterval", "value": "60"}]
        })
    ),
    patch(
        "Changes of a configuration template (JSON merge patch).",
        function = merge,
        example = json!({"priority": 20, "description": "Agreed with the vendor"})
    ),
    view("A configuration template as clients see it.")
)]
/// A stored configuration template.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = configuration_templates, treat_none_as_null = true)]
pub struct Template {
    /// Its id.
    #[field(name = "_id", initial = moment.id())]
    pub id: TemplateId,
    #[field(argument, hidden)]
    pub organization_id: OrganizationId,
    /// Display name.
    #[field(read = Name, new(example = "Sample every minute"))]
    pub name: String,
    /// A code of your own.
    #[field(read = Code)]
    pub code: Option<String>,
    /// Description.
    #[field(read = Note)]
    pub description: Option<String>,
    /// Whether it is applied.
    #[field(read, default = true, new("Whether it is applied; true when absent."))]
    pub active: bool,
    /// From when.
    #[field(read)]
    pub valid_from: Option<Timestamp>,
    /// Until when.
    #[field(read)]
    pub valid_to: Option<Timestamp>,
    /// The highest decides about a key that several templates set.
    #[field(read, default, new("The highest decides about a key that several templates set; 0 when absent."))]
    pub priority: i32,
    /// Only for stations that speak this.
    #[field(read)]
    pub protocol: Option<Protocol>,
    /// Only for stations at this location.
    #[field(name = "location", read)]
    pub location_id: Option<LocationId>,
    /// The keys and their values; passwords and keys are shown as `(hidden)`.
    #[field(
        read = Vec<SettingInput>,
        store = settings,
        show = without_secrets,
        new("The keys and their values."),
        patch("The keys and their values; replaced as a whole. A secret one that is sent as it is shown, `(hidden)`, stays as it is.")
    )]
    pub settings: Json<Vec<Setting>>,
    /// How many keys are changed together.
    #[field(
        read = BatchSize,
        default = BATCH,
        new("How many keys are read, changed and read again together; 10 when absent.")
    )]
    pub batch_size: i32,
    /// JSON of your own.
    #[field(read, default)]
    pub meta_data: Json<MetaData>,
    /// When it was created.
    #[field(name = "createdAt", initial = moment.now)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[field(name = "updatedAt", initial = moment.now, version)]
    pub updated_at: Timestamp,
}

fn settings(given: Vec<SettingInput>) -> Vec<Setting> {
    given.into_iter().map(Setting::from).collect()
}

fn without_secrets(settings: Vec<Setting>) -> Vec<Setting> {
    settings.into_iter().map(Setting::shown).collect()
}

impl Template {
    /// The template that `new` describes.
    pub(super) fn new(new: NewTemplate, organization_id: OrganizationId, moment: &Moment) -> Result<Self, Faults> {
        Self::begin(new, organization_id, moment).checked(Faults::default())
    }

    /// Applies a patch; what must not be empty refuses null.
    pub(super) fn apply(mut self, patch: TemplatePatch, moment: &Moment) -> Result<Self, Faults> {
        let before = self.settings.0.clone();
        let faults = self.merge(patch, moment).err().unwrap_or_default();
        let given = std::mem::take(&mut self.settings.0);
        self.settings.0 = given.into_iter().map(|one| one.meant(&before)).collect();
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

filters! {
    /// Filters of configuration templates.
    pub(crate) struct TemplateFilter {
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
