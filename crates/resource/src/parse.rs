//! What a declaration says: attributes into data, and the faults that a declaration can have.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, Fields, Ident, ItemStruct, LitStr, Result, Token, Type, Visibility};

/// A resource: what remains of its struct, its forms and its fields.
pub(crate) struct Declaration {
    /// The struct without our attributes and without fields that have no column.
    pub row: ItemStruct,
    pub new: Option<Form>,
    pub patch: Option<Form>,
    pub view: Option<Form>,
    pub fields: Vec<Field>,
}

/// A form of a resource, or of one of its fields: how its text and its schema differ.
#[derive(Default)]
pub(crate) struct Form {
    /// Lines of documentation, as attributes; none where nothing differs.
    pub text: Vec<TokenStream>,
    /// Attributes that are passed on: `derive(…)`, `serde(…)`.
    pub passed: Vec<TokenStream>,
    /// The arguments of its `#[schema(…)]`.
    pub schema: Vec<TokenStream>,
    /// The name of its function.
    pub function: Option<Ident>,
    /// Who may call its function.
    pub visibility: Option<Visibility>,
    /// Whether others than the server may name its type.
    pub is_public: bool,
    /// The field that it comes after.
    pub after: Option<Ident>,
}

impl Form {
    /// Its `#[schema(…)]`, where it has one.
    pub(crate) fn schema(&self) -> TokenStream {
        let arguments = &self.schema;
        if arguments.is_empty() { TokenStream::new() } else { quote!(#[schema(#(#arguments),*)]) }
    }
}

/// Where a value comes from when a resource is made.
pub(crate) enum Start {
    /// From the client alone.
    Client,
    /// From the client, or this default; without a value that of the type that is read.
    Default(Option<Expr>),
    /// From this expression.
    Initial(Expr),
    /// From the caller of the function.
    Argument,
}

/// What a field is besides a column.
pub(crate) enum Column {
    /// It is one.
    Stored,
    /// It is none, and whoever makes the view knows it.
    Computed,
    /// It is none, and follows from the row by this function.
    Follows(Expr),
    /// It is none, and only requests have it.
    Request,
}

/// One field.
pub(crate) struct Field {
    /// In the row.
    pub ident: Ident,
    pub ty: Type,
    /// In the forms.
    pub name: Ident,
    /// In JSON.
    pub json: LitStr,
    pub text: Vec<TokenStream>,
    pub column: Column,
    pub start: Start,
    /// The type that reads it.
    pub read: Option<Type>,
    pub store: Option<Expr>,
    pub required: bool,
    pub not_null: bool,
    pub fixed: bool,
    pub merged: bool,
    pub whole: bool,
    pub hidden: bool,
    pub shown: Option<Type>,
    pub show: Option<Expr>,
    pub version: bool,
    pub new: Form,
    pub patch: Form,
    pub view: Form,
}

impl Field {
    pub(crate) fn is_column(&self) -> bool {
        matches!(self.column, Column::Stored)
    }

    /// The type that reads it, where a new resource has it.
    pub(crate) fn read_by_new(&self) -> Option<&Type> {
        self.read.as_ref().filter(|_| !matches!(self.start, Start::Initial(_)))
    }

    /// The type that reads it, where a patch has it.
    pub(crate) fn read_by_patch(&self) -> Option<&Type> {
        self.read.as_ref().filter(|_| !self.fixed)
    }

    /// Whether a new resource may leave it out.
    pub(crate) fn may_be_absent(&self) -> bool {
        let optional = match self.column {
            Column::Stored | Column::Request => within(&self.ty, "Option").is_some(),
            Column::Computed | Column::Follows(_) => true,
        };
        !self.required && (optional || matches!(self.start, Start::Default(_)))
    }
}

/// `T` of `name<T>`.
pub(crate) fn within<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else {
        return None;
    };
    let last = path.path.segments.last().filter(|last| last.ident == name)?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first()? {
        syn::GenericArgument::Type(inner) => Some(inner),
        _ => None,
    }
}

/// What is stored, without `Option` and `Json`.
pub(crate) fn core(ty: &Type) -> &Type {
    let inner = within(ty, "Option").unwrap_or(ty);
    within(inner, "Json").unwrap_or(inner)
}

/// Whether two types are written the same.
pub(crate) fn same(one: &Type, other: &Type) -> bool {
    one.to_token_stream().to_string() == other.to_token_stream().to_string()
}

impl Declaration {
    pub(crate) fn parse(arguments: TokenStream, mut row: ItemStruct) -> Result<Self> {
        let (mut new, mut patch, mut view) = (None, None, None);
        let forms = Punctuated::<Named, Token![,]>::parse_terminated;
        for Named { name, form } in syn::parse::Parser::parse2(forms, arguments)? {
            let place = match name.to_string().as_str() {
                "new" => &mut new,
                "patch" => &mut patch,
                "view" => &mut view,
                _ => {
                    return Err(Error::new(name.span(), "a resource has the forms `new(…)`, `patch(…)` and `view(…)`"));
                }
            };
            if form.text.is_empty() {
                return Err(Error::new(name.span(), "needs the text of its schema: `new(\"A new location.\")`"));
            }
            if place.replace(form).is_some() {
                return Err(Error::new(name.span(), "is there twice"));
            }
        }
        let Fields::Named(named) = &mut row.fields else {
            return Err(Error::new(row.ident.span(), "a resource is a struct with named fields"));
        };
        let declared = std::mem::take(&mut named.named);
        let (mut fields, mut errors) = (Vec::new(), Vec::new());
        for mut field in declared {
            match Field::parse(&mut field) {
                Ok(parsed) => {
                    if parsed.is_column() {
                        named.named.push(field);
                    }
                    fields.push(parsed);
                }
                Err(error) => errors.push(error),
            }
        }
        let declaration = Self { row, new, patch, view, fields };
        errors.extend(declaration.faults());
        match errors.into_iter().reduce(|mut all, one| {
            all.combine(one);
            all
        }) {
            Some(error) => Err(error),
            None => Ok(declaration),
        }
    }

    /// What does not fit together between its fields.
    fn faults(&self) -> Vec<Error> {
        let mut faults = Vec::new();
        let versions = self.fields.iter().filter(|field| field.version).count();
        if versions != 1 && (self.patch.is_some() || self.view.is_some()) {
            let message = "one field must be marked `version`: when the resource last changed";
            faults.push(Error::new(self.row.ident.span(), message));
        }
        for field in &self.fields {
            if self.new.is_some() && field.is_column() && field.read.is_none() && matches!(field.start, Start::Client) {
                let message = "how does it begin? `read`, `initial = value` or `argument`";
                faults.push(Error::new(field.ident.span(), message));
            }
            let known = |wanted: &Ident| self.fields.iter().any(|field| field.name == *wanted && !field.hidden);
            if let Some(after) = field.view.after.as_ref().filter(|after| !known(after)) {
                faults.push(Error::new(after.span(), "the view has no such field"));
            }
            if field.version && field.hidden {
                faults.push(Error::new(field.ident.span(), "`version` must be shown: the ETag is made of it"));
            }
        }
        faults
    }
}

/// Words of `#[field(…)]` that stand alone.
const FLAGS: [&str; 9] =
    ["argument", "required", "not_null", "fixed", "merged", "whole", "hidden", "version", "request"];

/// What `#[field(…)]` may say.
const KNOWN: &str = "`name`, `read`, `store`, `default`, `initial`, `argument`, `required`, `not_null`, `fixed`, `merged`, `whole`, `hidden`, \
    `shown`, `show`, `version`, `computed`, `request`, `new(…)`, `patch(…)`, `view(…)`";

/// What `#[field(…)]` says, before it is judged.
#[derive(Default)]
struct Said {
    name: Option<LitStr>,
    read: Option<(Span, Option<Type>)>,
    default: Option<(Span, Option<Expr>)>,
    computed: Option<(Span, Option<Expr>)>,
    initial: Option<(Span, Expr)>,
    store: Option<(Span, Expr)>,
    show: Option<(Span, Expr)>,
    shown: Option<(Span, Type)>,
    flags: Vec<Ident>,
    new: Form,
    patch: Form,
    view: Form,
}

impl Said {
    fn flag(&self, name: &str) -> Option<Span> {
        self.flags.iter().find(|flag| *flag == name).map(Ident::span)
    }

    fn read_one(&mut self, input: ParseStream<'_>) -> Result<()> {
        fn value<T: Parse>(input: ParseStream<'_>) -> Result<T> {
            input.parse::<Token![=]>()?;
            input.parse()
        }
        fn perhaps<T: Parse>(input: ParseStream<'_>) -> Result<Option<T>> {
            if input.peek(Token![=]) { value(input).map(Some) } else { Ok(None) }
        }
        let word = input.call(Ident::parse_any)?;
        let (text, at) = (word.to_string(), word.span());
        match text.as_str() {
            "name" => self.name = Some(value(input)?),
            "read" => self.read = Some((at, perhaps(input)?)),
            "default" => self.default = Some((at, perhaps(input)?)),
            "computed" => self.computed = Some((at, perhaps(input)?)),
            "initial" => self.initial = Some((at, value(input)?)),
            "store" => self.store = Some((at, value(input)?)),
            "show" => self.show = Some((at, value(input)?)),
            "shown" => self.shown = Some((at, value(input)?)),
            "new" => self.new = input.parse()?,
            "patch" => self.patch = input.parse()?,
            "view" => self.view = input.parse()?,
            flag if FLAGS.contains(&flag) => self.flags.push(word),
            other => return Err(Error::new(at, format!("`{other}` is unknown; a field knows {KNOWN}"))),
        }
        Ok(())
    }

    /// Two words that exclude each other.
    fn contradiction(&self) -> Result<()> {
        let flag = |name| self.flag(name);
        let default = self.default.as_ref().map(|said| said.0);
        let initial = self.initial.as_ref().map(|said| said.0);
        let computed = self.computed.as_ref().map(|said| said.0);
        let (read, shown) = (self.read.as_ref().map(|said| said.0), self.shown.as_ref().map(|said| said.0));
        let (store, show) = (self.store.as_ref().map(|said| said.0), self.show.as_ref().map(|said| said.0));
        let pairs = [
            (initial, default, "`initial` needs no `default`: a new one does not say it"),
            (initial, flag("argument"), "begins with `initial` or as an `argument`, not both"),
            (initial, flag("required"), "`initial` is not `required`: a new one does not say it"),
            (flag("argument"), read, "is an `argument` or `read`, not both"),
            (flag("hidden"), shown, "is `hidden` or `shown`, not both"),
            (flag("hidden"), show, "is `hidden`, so there is nothing to `show`"),
            (computed, flag("hidden"), "is `computed` to be shown"),
            (computed, default, "has no column, so it has no `default`"),
            (computed, initial, "has no column, so it has no `initial` value"),
            (computed, flag("argument"), "has no column, so it is no `argument`"),
            (computed, flag("request"), "is in the view (`computed`) or in requests only (`request`), not both"),
            (computed, shown.or(show).or(store), "has no column: its own type is what is shown"),
            (flag("request"), shown.or(show).or(store), "has no column, and is in requests only"),
            (flag("request"), default.or(initial), "has no column, so it begins with nothing"),
            (flag("merged"), flag("fixed"), "is `merged` by a patch or `fixed`, not both"),
            (flag("merged"), flag("whole"), "is `merged` by a patch or replaced `whole`, not both"),
        ];
        match pairs.into_iter().find_map(|(one, other, message)| one.zip(other).map(|(_, at)| (at, message))) {
            Some((at, message)) => Err(Error::new(at, message)),
            None => Ok(()),
        }
    }
}

impl Field {
    /// Takes our attributes off a field.
    fn parse(field: &mut syn::Field) -> Result<Self> {
        let ident = field.ident.clone().ok_or_else(|| Error::new(field.span(), "has no name"))?;
        let mut said = Said::default();
        for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("field")) {
            attribute.parse_args_with(|input: ParseStream<'_>| {
                while !input.is_empty() {
                    said.read_one(input)?;
                    if !input.is_empty() {
                        input.parse::<Token![,]>()?;
                    }
                }
                Ok(())
            })?;
        }
        field.attrs.retain(|attribute| !attribute.path().is_ident("field"));
        said.contradiction()?;
        Self::judge(ident, field, said)
    }

    fn judge(ident: Ident, field: &syn::Field, said: Said) -> Result<Self> {
        let fault = |message: &str| Err(Error::new(ident.span(), message));
        let is_request = said.flag("request").is_some();
        let stored = || core(&field.ty).clone();
        let read = match &said.read {
            Some((_, Some(ty))) => Some(ty.clone()),
            Some((_, None)) => Some(if said.computed.is_some() { field.ty.clone() } else { stored() }),
            None => is_request.then(stored),
        };
        for word in ["required", "not_null", "fixed"] {
            if let Some(at) = said.flag(word).filter(|_| read.is_none()) {
                return Err(Error::new(at, format!("`{word}` is of a field that is `read`")));
            }
        }
        if let Some((at, _)) = said.default.as_ref().filter(|_| read.is_none()) {
            return Err(Error::new(*at, "`default` is of a field that is `read`; others begin with `initial = value`"));
        }
        let hidden = said.flag("hidden").is_some() || is_request;
        let text: Vec<TokenStream> = docs(&field.attrs);
        if text.is_empty() && (read.is_some() || !hidden) {
            return fault("needs a doc comment: it is its description in the OpenAPI document");
        }
        let json = said.name.clone().unwrap_or_else(|| LitStr::new(&ident.unraw().to_string(), ident.span()));
        Ok(Self {
            name: rust_name(&json).unwrap_or_else(|| ident.clone()),
            json,
            ty: field.ty.clone(),
            text,
            column: match said.computed {
                Some((_, None)) => Column::Computed,
                Some((_, Some(function))) => Column::Follows(function),
                None if is_request => Column::Request,
                None => Column::Stored,
            },
            start: match (said.initial, said.default) {
                (Some((_, value)), _) => Start::Initial(value),
                (None, Some((_, value))) => Start::Default(value),
                (None, None) if said.flags.iter().any(|flag| flag == "argument") => Start::Argument,
                (None, None) => Start::Client,
            },
            read,
            store: said.store.map(|said| said.1),
            required: said.flags.iter().any(|flag| flag == "required"),
            not_null: said.flags.iter().any(|flag| flag == "not_null"),
            fixed: said.flags.iter().any(|flag| flag == "fixed"),
            merged: said.flags.iter().any(|flag| flag == "merged"),
            whole: said.flags.iter().any(|flag| flag == "whole"),
            hidden,
            shown: said.shown.map(|said| said.1),
            show: said.show.map(|said| said.1),
            version: said.flags.iter().any(|flag| flag == "version"),
            new: said.new,
            patch: said.patch,
            view: said.view,
            ident,
        })
    }
}

/// The name of a field in the forms, where the name in JSON is one that Rust can have.
fn rust_name(json: &LitStr) -> Option<Ident> {
    let text = json.value();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let is_plain = text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(plain);
    let name = is_plain.then(|| syn::parse_str::<Ident>(&text).ok()).flatten()?;
    Some(Ident::new(&name.to_string(), json.span()))
}

/// The doc comments among attributes.
fn docs(attributes: &[Attribute]) -> Vec<TokenStream> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).map(ToTokens::to_token_stream).collect()
}

/// `new(…)`, `patch(…)` or `view(…)` of a struct.
struct Named {
    name: Ident,
    form: Form,
}

impl Parse for Named {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        Ok(Self { name: input.call(Ident::parse_any)?, form: input.parse()? })
    }
}

impl Parse for Form {
    /// Reads `("Text.", pub struct, pub, function = name, after = field, serde(…), derive(…), minimum = 1)`.
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let content;
        syn::parenthesized!(content in input);
        let mut form = Self::default();
        while !content.is_empty() {
            if content.peek(Token![pub]) && content.peek2(Token![struct]) {
                content.parse::<Token![pub]>()?;
                content.parse::<Token![struct]>()?;
                form.is_public = true;
            } else if content.peek(Token![pub]) {
                form.visibility = Some(content.parse()?);
            } else if content.peek(LitStr) {
                let text: LitStr = content.parse()?;
                let lines = text.value();
                form.text.extend(lines.lines().map(|line| {
                    let line = LitStr::new(&format!(" {}", line.trim()), text.span());
                    quote!(#[doc = #line])
                }));
            } else {
                form.read_word(&content)?;
            }
            if !content.is_empty() {
                content.parse::<Token![,]>()?;
            }
        }
        Ok(form)
    }
}

impl Form {
    fn read_word(&mut self, content: ParseStream<'_>) -> Result<()> {
        let word = content.fork().call(Ident::parse_any)?.to_string();
        let place = match word.as_str() {
            "function" => &mut self.function,
            "after" => &mut self.after,
            _ => {
                let mut tokens = TokenStream::new();
                while !content.is_empty() && !content.peek(Token![,]) {
                    tokens.extend([content.parse::<TokenTree>()?]);
                }
                let passed = matches!(word.as_str(), "serde" | "derive");
                if passed {
                    self.passed.push(quote!(#[#tokens]))
                } else {
                    self.schema.push(tokens)
                }
                return Ok(());
            }
        };
        content.call(Ident::parse_any)?;
        content.parse::<Token![=]>()?;
        *place = Some(content.call(Ident::parse_any)?);
        Ok(())
    }
}
