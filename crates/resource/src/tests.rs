//! What a declaration must not say, and where its fault is shown. What it makes is tested in the server.

#![allow(clippy::expect_used, reason = "a failing test panics")]

use proc_macro2::TokenStream;
use quote::quote;
use syn::Error;

use crate::expand::resource;
use crate::parse::Declaration;

/// The faults of a resource with these fields, besides the one that says when it changed.
fn faults(fields: TokenStream) -> Vec<String> {
    let row = quote! {
        pub struct Shed {
            #fields
            /// When it last changed.
            #[field(initial = moment.now, version)]
            pub updated_at: Timestamp,
        }
    };
    let row = syn::parse2(row).expect("a struct");
    let parsed = Declaration::parse(quote!(new("A new shed."), patch("Changes."), view("A shed.")), row);
    parsed.err().into_iter().flatten().map(|error: Error| error.to_string()).collect()
}

#[test]
fn a_column_says_how_it_begins() {
    let all = faults(quote! {
        /// Its name.
        pub name: String,
        #[field(hidden)]
        pub secret: String,
    });
    assert_eq!(all, ["how does it begin? `read`, `initial = value` or `argument`"; 2]);
}

#[test]
fn a_field_that_clients_know_is_described() {
    let all = faults(quote! {
        #[field(read = Name)]
        pub name: String,
        #[field(hidden, initial = String::new())]
        pub secret: String,
    });
    assert_eq!(all, ["needs a doc comment: it is its description in the OpenAPI document"]);
}

#[test]
fn words_that_exclude_each_other_are_refused() {
    for (said, fault) in [
        (quote!(read, argument), "is an `argument` or `read`, not both"),
        (quote!(initial = 1, argument), "begins with `initial` or as an `argument`, not both"),
        (quote!(read, initial = 1, default), "`initial` needs no `default`: a new one does not say it"),
        (quote!(read, hidden, shown = f64), "is `hidden` or `shown`, not both"),
        (quote!(computed, default), "has no column, so it has no `default`"),
        (quote!(request, initial = 1), "has no column, so it begins with nothing"),
        (quote!(argument, fixed), "`fixed` is of a field that is `read`"),
        (quote!(initial = 1, not_null), "`not_null` is of a field that is `read`"),
        (quote!(argument, default = 1), "`default` is of a field that is `read`; others begin with `initial = value`"),
        (quote!(read, view(after = roof)), "the view has no such field"),
    ] {
        let all = faults(quote! {
            /// How many.
            #[field(#said)]
            pub count: i64,
        });
        assert_eq!(all, [fault], "{said}");
    }
}

#[test]
fn a_word_that_is_unknown_is_named() {
    let all = faults(quote! {
        /// How many.
        #[field(reed = i64)]
        pub count: i64,
    });
    assert!(all.len() == 1 && all.iter().all(|fault| fault.starts_with("`reed` is unknown")), "{all:?}");
}

#[test]
fn all_faults_are_shown_at_once_and_the_struct_stays() {
    let expanded = resource(
        quote!(view("A shed.")),
        quote! {
            pub struct Shed {
                #[field(read = Name)]
                pub name: String,
                /// How many.
                #[field(reed)]
                pub count: i64,
            }
        },
    )
    .to_string();
    assert_eq!(expanded.matches("compile_error").count(), 3, "two fields, and none is the version: {expanded}");
    assert!(expanded.contains("pub struct Shed") && !expanded.contains("# [field"), "{expanded}");
}

#[test]
fn a_form_has_a_text_and_a_known_name() {
    for (forms, fault) in [
        (quote!(new()), "needs the text of its schema: `new(\"A new location.\")`"),
        (quote!(made("A new shed.")), "a resource has the forms `new(…)`, `patch(…)` and `view(…)`"),
        (quote!(view("A shed."), view("A shed.")), "is there twice"),
    ] {
        let row = syn::parse2(quote!(
            pub struct Shed {}
        ))
        .expect("a struct");
        let fault_of = Declaration::parse(forms, row).err().expect("a fault");
        assert_eq!(fault_of.to_string(), fault);
    }
}

#[test]
fn only_what_has_a_column_stays_in_the_row() {
    let expanded = resource(
        quote!(view("A shed.")),
        quote! {
            pub struct Shed {
                /// How many stations are in it.
                #[field(computed)]
                pub stations: i64,
                /// When it last changed.
                #[field(initial = moment.now, version)]
                pub updated_at: Timestamp,
            }
        },
    );
    let row: syn::File = syn::parse2(expanded).expect("items");
    let names: Vec<Vec<String>> = row
        .items
        .iter()
        .filter_map(|item| match item {
            syn::Item::Struct(item) => Some(
                item.fields.iter().filter_map(|field| field.ident.as_ref()).map(|ident| ident.to_string()).collect(),
            ),
            _ => None,
        })
        .collect();
    assert_eq!(names, [vec!["updated_at"], vec!["stations", "updated_at"], vec!["stations"]]);
}
