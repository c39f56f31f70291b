//! What a declaration becomes: the row, its three forms, and the functions between them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ItemStruct, Type};

use crate::parse::{Column, Declaration, Field, Form, Start, core, same, within};

/// The struct with what is made of it; of a declaration that is wrong the faults, and the struct all the same, so that not
/// every place that names it is a fault, too.
pub(crate) fn resource(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let row: ItemStruct = match syn::parse2(item) {
        Ok(row) => row,
        Err(error) => return error.into_compile_error(),
    };
    let mut bare = row.clone();
    match Declaration::parse(arguments, row) {
        Ok(declaration) => {
            let row = &declaration.row;
            let (new, patch, view) = (declaration.new_form(), declaration.patch(), declaration.view());
            quote!(#row #new #patch #view)
        }
        Err(error) => {
            for field in &mut bare.fields {
                field.attrs.retain(|attribute| !attribute.path().is_ident("field"));
            }
            let error = error.into_compile_error();
            quote!(#error #bare)
        }
    }
}

/// A field as `input!` and `patch!` take it.
fn request_field(field: &Field, form: &Form, ty: &TokenStream) -> TokenStream {
    let Field { name, json, .. } = field;
    let text = if form.text.is_empty() { &field.text } else { &form.text };
    let (passed, schema) = (&form.passed, form.schema());
    let renamed = (name != &json.value()).then(|| quote!(as #json));
    quote!(#(#text)* #(#passed)* #schema pub #name #renamed: #ty)
}

impl Field {
    /// What is stored of `value`, which was read as `read`; without `Option`.
    fn stored(&self, read: &Type, value: TokenStream) -> TokenStream {
        let core = core(&self.ty);
        let value = match &self.store {
            Some(function) => call(function, &quote!(#read), &quote!(#core), value),
            None if same(core, read) => value,
            None => from(read, core, value),
        };
        if self.is_json() { quote!(crate::store::Json(#value)) } else { value }
    }

    /// Whether what is read is stored as it is; without `Option`.
    fn is_stored_as_read(&self, read: &Type) -> bool {
        self.store.is_none() && same(core(&self.ty), read) && !self.is_json()
    }

    /// Whether it is a JSON document, or may be one.
    fn is_json(&self) -> bool {
        within(within(&self.ty, "Option").unwrap_or(&self.ty), "Json").is_some()
    }

    /// Whether a patch is merged into what is there: it is a nested object that is stored as it is read and shown.
    fn is_merged(&self, read: &Type) -> bool {
        let core = core(&self.ty);
        let is_list = self.whole || within(core, "Vec").is_some();
        let is_plain = self.store.is_none() && self.shown.is_none() && self.show.is_none();
        self.merged || (self.is_column() && self.is_json() && is_plain && same(core, read) && !is_list)
    }

    /// The type that a patch has of it.
    fn patch_type(&self, read: &Type) -> TokenStream {
        if self.is_merged(read) { quote!(crate::http::merging::Changes<#read>) } else { quote!(#read) }
    }

    /// Its default as it is stored.
    fn default(&self, read: &Type) -> Option<TokenStream> {
        match &self.start {
            Start::Default(Some(value)) => Some(quote!(#value)),
            Start::Default(None) => {
                let at = Span::call_site().located_at(read.span());
                let value = quote_spanned!(at=> <#read as ::core::default::Default>::default());
                Some(self.stored(read, value))
            }
            _ => None,
        }
    }

    /// Its value in a new row.
    fn begin(&self) -> TokenStream {
        let Self { ident, name, .. } = self;
        let value = match (&self.start, self.read_by_new()) {
            (Start::Initial(value), _) => return quote!(#ident: #value),
            (_, None) => return quote!(#ident),
            (_, Some(read)) => {
                let (one, whole) = (self.stored(read, quote!(value)), self.stored(read, quote!(new.#name)));
                let is_option = within(&self.ty, "Option").is_some();
                match self.default(read) {
                    _ if !self.may_be_absent() && is_option => quote!(Some(#whole)),
                    _ if !self.may_be_absent() => whole,
                    Some(default) => quote!(match new.#name { Some(value) => #one, None => #default }),
                    None if self.is_stored_as_read(read) => quote!(new.#name),
                    None => quote!(new.#name.map(|value| #one)),
                }
            }
        };
        quote!(#ident: #value)
    }

    /// Applies what a patch says of it.
    fn change(&self) -> Option<TokenStream> {
        let read = self.read_by_patch().filter(|_| self.is_column())?;
        let Self { ident, name, json, .. } = self;
        let patch = if self.is_stored_as_read(read) {
            quote!(patch.#name)
        } else if self.is_merged(read) {
            let there = match within(&self.ty, "Option") {
                Some(_) => quote!(self.#ident.as_ref().map(|there| &there.0)),
                None => quote!(Some(&self.#ident.0)),
            };
            quote!(crate::http::merging::merged(patch.#name, #there, #json, &mut faults).map(crate::store::Json))
        } else {
            let one = self.stored(read, quote!(value));
            quote!(patch.#name.map(|value| #one))
        };
        Some(match self.default(read).filter(|_| !self.not_null) {
            Some(default) => quote!(#patch.apply_or(&mut self.#ident, #default);),
            None if within(&self.ty, "Option").is_some() => quote!(#patch.apply(&mut self.#ident);),
            None => quote!(crate::http::fields::Mandatory::set(#patch, &mut self.#ident, #json, &mut faults);),
        })
    }

    /// The type that clients see.
    fn shown_type(&self) -> TokenStream {
        let ty = &self.ty;
        if !self.is_column() {
            return quote!(#ty);
        }
        let inner = self.shown.as_ref().unwrap_or(core(ty));
        if within(ty, "Option").is_some() { quote!(Option<#inner>) } else { quote!(#inner) }
    }

    /// What clients see of the row.
    fn show(&self) -> TokenStream {
        let Self { ident, name, ty, .. } = self;
        match &self.column {
            Column::Computed => return quote!(#name: computed.#name),
            Column::Follows(_) | Column::Request => return quote!(#name),
            Column::Stored => {}
        }
        let is_plain = self.shown.is_none() && self.show.is_none() && !self.is_json();
        let turned = |value: TokenStream| {
            let core = core(ty);
            let value = if self.is_json() { quote!(#value.0) } else { value };
            match (&self.show, &self.shown) {
                (Some(function), shown) => {
                    let shown = shown.as_ref().unwrap_or(core);
                    call(function, &quote!(#core), &quote!(#shown), value)
                }
                (None, None) => value,
                (None, Some(shown)) => {
                    let read = self.read.as_ref().filter(|read| !same(read, core));
                    let middle = read.unwrap_or(core);
                    let value = if read.is_some() { from(core, middle, value) } else { value };
                    if same(middle, shown) { value } else { from(middle, shown, value) }
                }
            }
        };
        if is_plain {
            quote!(#name: row.#ident)
        } else if within(ty, "Option").is_some() {
            let one = turned(quote!(value));
            quote!(#name: row.#ident.map(|value| #one))
        } else {
            let whole = turned(quote!(row.#ident));
            quote!(#name: #whole)
        }
    }

    /// The declaration of a field of the view.
    fn view_field(&self) -> TokenStream {
        let Self { name, json, .. } = self;
        let text = if self.view.text.is_empty() { &self.text } else { &self.view.text };
        let renamed = (name != &json.value()).then(|| quote!(#[serde(rename = #json)]));
        let (passed, schema, ty) = (&self.view.passed, self.view.schema(), self.shown_type());
        quote!(#(#text)* #renamed #(#passed)* #schema pub #name: #ty)
    }
}

impl Declaration {
    /// `NewX`, and the function that makes a row of it.
    fn new_form(&self) -> Option<TokenStream> {
        let form = self.new.as_ref()?;
        let row = &self.row.ident;
        let name = format_ident!("New{row}");
        let fields = self.fields.iter().filter_map(|field| {
            let read = field.read_by_new()?;
            let ty = if field.may_be_absent() { quote!(Option<#read>) } else { quote!(#read) };
            Some(request_field(field, &field.new, &ty))
        });
        let requests = || self.fields.iter().filter_map(|field| Some((field, field.read_by_new()?)));
        let said = requests().filter(|(field, _)| !field.may_be_absent());
        let said = said.map(|(Field { name, .. }, read)| quote!(#name: #read));
        let only = requests().map(|(field, _)| {
            let name = &field.name;
            if field.may_be_absent() { quote!(#name: None) } else { quote!(#name) }
        });
        let (text, passed, schema) = (&form.text, &form.passed, form.schema());
        let (seen, function) = (seen(form), function(form, "new"));
        let columns = || self.fields.iter().filter(|field| field.is_column());
        let arguments = columns()
            .filter(|field| matches!(field.start, Start::Argument))
            .map(|Field { ident, ty, .. }| quote!(#ident: #ty));
        // What may look at the whole request goes before what takes parts of it.
        let (first, then): (Vec<&Field>, Vec<&Field>) =
            columns().partition(|field| matches!(field.start, Start::Initial(_)));
        let names = first.iter().map(|field| &field.ident);
        let values = first.iter().filter_map(|field| match &field.start {
            Start::Initial(value) => {
                let (ident, ty) = (&field.ident, &field.ty);
                Some(quote!(let #ident: #ty = #value;))
            }
            _ => None,
        });
        let begins = then.iter().map(|field| field.begin());
        Some(quote! {
            crate::input! { #(#text)* #(#passed)* #schema #seen struct #name { #(#fields),* } }

            impl #name {
                /// What must be said, and nothing else.
                #[allow(dead_code)]
                #seen const fn only(#(#said),*) -> Self {
                    Self { #(#only),* }
                }
            }

            impl #row {
                /// The row that `new` describes.
                #function(new: #name, #(#arguments,)* moment: &::kernel::Moment) -> Self {
                    #(#values)*
                    Self { #(#names,)* #(#begins),* }
                }
            }
        })
    }

    /// `XPatch`, and the function that applies it.
    fn patch(&self) -> Option<TokenStream> {
        let form = self.patch.as_ref()?;
        let row = &self.row.ident;
        let name = format_ident!("{row}Patch");
        let fields = self.fields.iter().filter_map(|field| {
            let read = field.read_by_patch()?;
            Some(request_field(field, &field.patch, &field.patch_type(read)))
        });
        let (text, passed, schema) = (&form.text, &form.passed, form.schema());
        let (seen, function) = (seen(form), function(form, "apply"));
        let changes = self.fields.iter().filter_map(Field::change);
        let version = self.version();
        Some(quote! {
            crate::patch! { #(#text)* #(#passed)* #schema #seen struct #name { #(#fields),* } }

            impl #row {
                /// Applies a patch; what must not be empty refuses null.
                #[allow(unused_mut)]
                #function(
                    &mut self,
                    patch: #name,
                    moment: &::kernel::Moment,
                ) -> ::core::result::Result<(), crate::http::Faults> {
                    let mut faults = crate::http::Faults::default();
                    #(#changes)*
                    self.#version = moment.version_after(self.#version);
                    if faults.is_empty() { Ok(()) } else { Err(faults) }
                }
            }
        })
    }

    /// `XView`, and how it is made.
    fn view(&self) -> Option<TokenStream> {
        let form = self.view.as_ref()?;
        let row = &self.row.ident;
        let name = format_ident!("{row}View");
        let fields = self.shown();
        let declared = fields.iter().map(|field| field.view_field());
        let values: Vec<TokenStream> = fields.iter().map(|field| field.show()).collect();
        let follows: Vec<TokenStream> = fields
            .iter()
            .filter_map(|field| match &field.column {
                Column::Follows(function) => {
                    let (name, ty) = (&field.name, &field.ty);
                    let made = call(function, &quote!(&#row), &quote!(#ty), quote!(&row));
                    Some(quote!(let #name: #ty = #made;))
                }
                _ => None,
            })
            .collect();
        let computed: Vec<&&Field> = fields.iter().filter(|field| matches!(field.column, Column::Computed)).collect();
        let made = if computed.is_empty() {
            quote! {
                impl ::core::convert::From<#row> for #name {
                    fn from(row: #row) -> Self {
                        #(#follows)*
                        Self { #(#values),* }
                    }
                }
            }
        } else {
            let given = format_ident!("{row}Computed");
            let function = function(form, "of");
            let about = format!("What a {name} shows besides what is stored.");
            let parts = computed.iter().map(|Field { name, ty, text, .. }| quote!(#(#text)* pub #name: #ty));
            quote! {
                #[doc = #about]
                pub(super) struct #given { #(#parts),* }

                impl #name {
                    /// The view of a row, with what is not stored in it.
                    #function(row: #row, computed: #given) -> Self {
                        #(#follows)*
                        Self { #(#values),* }
                    }
                }
            }
        };
        let (text, passed, schema) = (&form.text, &form.passed, form.schema());
        let version = fields.iter().find(|field| field.version).map(|field| &field.name);
        Some(quote! {
            #(#text)* #(#passed)*
            #[derive(Debug, Clone, ::serde::Serialize, ::utoipa::ToSchema)]
            #schema
            pub struct #name { #(#declared),* }

            #made

            impl crate::http::Versioned for #name {
                fn version(&self) -> ::kernel::Timestamp {
                    self.#version
                }
            }
        })
    }

    /// The fields of the view in their order.
    fn shown(&self) -> Vec<&Field> {
        let (moved, mut shown): (Vec<&Field>, Vec<&Field>) =
            self.fields.iter().filter(|field| !field.hidden).partition(|field| field.view.after.is_some());
        for field in moved.into_iter().rev() {
            let place = shown.iter().position(|other| field.view.after.as_ref() == Some(&other.name));
            shown.insert(place.map_or(shown.len(), |place| place + 1), field);
        }
        shown
    }

    /// The field that says when the resource last changed.
    fn version(&self) -> Option<&Ident> {
        self.fields.iter().find(|field| field.version).map(|field| &field.ident)
    }
}

/// Turns a value of `one` type into the `other`; where that cannot be, the other type is what is wrong.
fn from(one: &Type, other: &Type, value: TokenStream) -> TokenStream {
    let at = Span::call_site().located_at(other.span());
    quote_spanned!(at=> <#other as ::core::convert::From<#one>>::from(#value))
}

/// Calls a function, or a closure, whose types are known.
fn call(function: &Expr, takes: &TokenStream, gives: &TokenStream, value: TokenStream) -> TokenStream {
    quote!({
        let function: fn(#takes) -> #gives = #function;
        function(#value)
    })
}

/// The beginning of a form's function: who may call it, and its name.
fn function(form: &Form, usual: &str) -> TokenStream {
    let name = form.function.clone().unwrap_or_else(|| format_ident!("{usual}"));
    match &form.visibility {
        Some(visibility) => quote!(#visibility fn #name),
        None => quote!(pub(super) fn #name),
    }
}

/// Who may name the type of a request.
fn seen(form: &Form) -> TokenStream {
    if form.is_public { quote!(pub) } else { quote!(pub(crate)) }
}
