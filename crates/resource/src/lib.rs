//! One declaration a resource: from the struct of its row, [`macro@resource`] makes what a client may send, what it may
//! change, what it reads, and the way from one to the other.
//!
//! What is made names the server's own modules (`crate::http::fields`, `crate::input!`), so it can be used there only; its
//! tests are in `src/http/resource_tests.rs`. Here are tests of what it refuses.

mod expand;
mod parse;

#[cfg(test)]
mod tests;

/// Declares a resource. It stands above the derives, because it takes its own attributes and the fields without a column
/// away before they see the struct.
///
/// ```ignore
/// #[resource(
///     new("A new shed.", example = json!({"shedName": "North", "voltage": 400})),
///     patch("Changes of a shed (JSON merge patch)."),
///     view("A shed as clients see it."),
/// )]
/// /// A stored shed.
/// #[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
/// #[diesel(table_name = sheds, treat_none_as_null = true)]
/// pub struct Shed {
///     /// Its id.
///     #[field(name = "_id", initial = moment.id())]
///     pub id: ShedId,
///     #[field(argument, hidden)]
///     pub organization_id: OrganizationId,
///     /// Display name.
///     #[field(name = "shedName", read = Name)]
///     pub shed_name: String,
///     /// Description; null where there is none.
///     #[field(read = Note, new("Description."))]
///     pub description: Option<String>,
///     /// Volts between a phase and neutral.
///     #[field(read = Volts, default = MAINS, shown = f64, new("Volts between a phase and neutral; 230 when absent."))]
///     pub voltage: Millivolts,
///     /// Its location.
///     #[field(name = "location", read, fixed)]
///     pub location_id: LocationId,
///     /// How many stations are in it.
///     #[field(computed)]
///     pub stations: i64,
///     /// JSON of your own.
///     #[field(read, default)]
///     pub meta_data: Json<MetaData>,
///     /// When it was created.
///     #[field(name = "createdAt", initial = moment.now)]
///     pub created_at: Timestamp,
///     /// When it last changed.
///     #[field(name = "updatedAt", initial = moment.now, version)]
///     pub updated_at: Timestamp,
/// }
/// ```
///
/// makes, besides the struct `Shed` without `stations`:
///
/// - `NewShed { shed_name: Name, description: Option<Note>, voltage: Option<Volts>, location: LocationId, meta_data: … }`, as
///   `input!` does; `NewShed::only(shed_name: Name, location: LocationId)`, which says nothing else; and
///   `Shed::new(new: NewShed, organization_id: OrganizationId, moment: &Moment) -> Shed`
/// - `ShedPatch { shed_name: Patch<Name>, … }` without `location`, as `patch!` does, and
///   `Shed::apply(&mut self, patch: ShedPatch, moment: &Moment) -> Result<(), Faults>`: null clears `description`, means the
///   default for `voltage` and `meta_data`, and is a fault of `shedName`; an object is merged into the `meta_data` that are there, as every
///   JSON document is that is read and shown as it is stored, and is no `Vec`
/// - `ShedView { id, shed_name, … }` with its names in JSON, its schema and `Versioned`
/// - `ShedComputed { stations: i64 }` and `ShedView::of(shed: Shed, computed: ShedComputed) -> ShedView`; where nothing has to
///   be computed by others, `ShedView::from(shed)` instead
///
/// JSON has the fields in the order of the declaration.
///
/// # Forms
///
/// `new(…)`, `patch(…)` and `view(…)` name the forms that there are, each with the text of its schema. Besides:
///
/// | | |
/// |---|---|
/// | `function = name` | the function has this name instead of `new`, `apply` or `of`: one that is written by hand stands around it, with rules between fields |
/// | `pub struct` | a request that tests and programs outside of the server make, too; others are `pub(crate)` |
/// | `pub`, `pub(in path)` | who may call its function, where that is not the module above |
/// | `derive(…)` | what the form derives besides |
/// | anything else | belongs into its `#[schema(…)]`, as `example = json!(…)` |
///
/// # Fields
///
/// Where there is a `new(…)`, each column says how it begins, in one of these ways:
///
/// | | |
/// |---|---|
/// | `read`, `read = Type` | a client sends it; as a `Type` that reads and checks it, else as what is stored, without `Option` and `Json`. It may be absent and null in an `Option`, and must be there otherwise |
/// | `initial = value` | it begins with this, which may use `new` and `moment`; with `read` beside it, only a patch changes it |
/// | `argument` | it is an argument of `Shed::new` |
///
/// and these say more:
///
/// | | |
/// |---|---|
/// | `name = "location"` | its name in JSON; in the forms, too, where Rust can have a field of this name |
/// | `default`, `default = value` | what absent and null mean: the default of the type that is read, or this value of what is stored |
/// | `required` | a new one must say it, although null means the default later |
/// | `not_null` | null is a fault in a patch, although a new one need not say it |
/// | `fixed` | a patch has no such field |
/// | `whole` | a patch replaces the JSON document: it is a list, although its type is no `Vec` |
/// | `merged` | a patch has `Changes` of it, for a field without a column: code of its own merges them into what is there |
/// | `store = function` | makes what is stored of what was read, where `From` does not: without `Option` and `Json` |
/// | `hidden` | the view does not have it |
/// | `shown = Type` | the view has this type instead, made by `From` of what is read (else of what is stored) |
/// | `show = function` | makes what is shown of what is stored, where `From` does not |
/// | `version` | when it last changed: a patch moves it on, and the view's `ETag` is made of it |
/// | `computed` | no column, in the view only: who makes the view gives it. With `read` it is in requests, too, for code of its own; a new one may leave it out, unless `required` |
/// | `computed = function` | the same, made by this function of `&Shed` |
/// | `request` | no column, in requests only, with its own type: code of its own makes something of it |
/// | `new(…)`, `patch(…)`, `view(…)` | the text in this form where it differs from the comment above the field, `serde(…)`, and what belongs into its `#[schema(…)]`; `view(after = name)` shows it after another field |
///
/// The comment above a field is its description in the OpenAPI document, so a field without one is refused unless it is
/// `hidden`.
#[proc_macro_attribute]
pub fn resource(arguments: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand::resource(arguments.into(), item.into()).into()
}
