//! One operation: method and path, its handler, what it takes and what it answers.

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::Scope;
use crate::{ProblemKind, Services};

/// Makes the schema of a type.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// An operation of the API.
#[derive(Clone)]
pub(crate) struct Operation {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) scope: Scope,
    pub(super) query: Option<SchemaOf>,
    pub(super) headers: &'static [(&'static str, &'static str)],
    pub(super) body: Option<(Form, SchemaOf)>,
    pub(super) answers: Vec<Answer>,
    pub(super) problems: &'static [ProblemKind],
    handler: MethodRouter<Services>,
}

/// A form of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `application/json`.
    Json,
    /// `application/x-ndjson`: a document a line.
    Ndjson,
    /// `text/event-stream`.
    Sse,
    /// `text/html`.
    Html,
    /// `text/plain`.
    Text,
}

/// A way an operation may succeed.
#[derive(Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) text: &'static str,
    pub(super) forms: Vec<(Form, SchemaOf)>,
    pub(super) headers: &'static [(&'static str, &'static str)],
}

impl Form {
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Sse => "text/event-stream",
            Self::Html => "text/html",
            Self::Text => "text/plain",
        }
    }
}

impl Operation {
    /// An operation that reads.
    pub(crate) fn get<H, T>(path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Services>,
        T: 'static,
    {
        Self::new(Method::GET, path, on(MethodFilter::GET, handler))
    }

    /// An operation that changes something, or may.
    pub(crate) fn post<H, T>(path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Services>,
        T: 'static,
    {
        Self::new(Method::POST, path, on(MethodFilter::POST, handler))
    }

    /// What axum makes of a reading operation: the same without a body.
    pub(crate) fn head(path: &'static str) -> Self {
        Self::new(Method::HEAD, path, MethodRouter::new())
    }

    fn new(method: Method, path: &'static str, handler: MethodRouter<Services>) -> Self {
        Self {
            method,
            path,
            id: "",
            summary: "",
            scope: Scope::Public,
            query: None,
            headers: &[],
            body: None,
            answers: Vec::new(),
            problems: &[],
            handler,
        }
    }

    /// Its name for programs, and what it does for people.
    pub(crate) fn named(self, id: &'static str, summary: &'static str) -> Self {
        Self { id, summary, ..self }
    }

    /// What its caller must be allowed to do.
    pub(crate) fn scope(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// The parameters of its query.
    pub(crate) fn query<T: JsonSchema>(self) -> Self {
        Self { query: Some(of::<T>), ..self }
    }

    /// Headers it looks at: name and meaning.
    pub(crate) fn headers(self, headers: &'static [(&'static str, &'static str)]) -> Self {
        Self { headers, ..self }
    }

    /// Its body.
    pub(crate) fn body<T: JsonSchema>(self, form: Form) -> Self {
        Self { body: Some((form, of::<T>)), ..self }
    }

    /// It may succeed with a JSON document.
    pub(crate) fn answer<T: JsonSchema>(self, status: u16, text: &'static str) -> Self {
        self.formed::<T>(status, text, Form::Json)
    }

    /// It may succeed with a body of this form; the same status again gives it one more form.
    pub(crate) fn formed<T: JsonSchema>(mut self, status: u16, text: &'static str, form: Form) -> Self {
        match self.answers.iter_mut().find(|answer| answer.status == status) {
            Some(answer) => answer.forms.push((form, of::<T>)),
            None => {
                self.answers.push(Answer { status, text, forms: vec![(form, of::<T>)], headers: &[] });
            }
        }
        self
    }

    /// It may succeed without a body.
    pub(crate) fn empty(mut self, status: u16, text: &'static str) -> Self {
        self.answers.push(Answer { status, text, forms: Vec::new(), headers: &[] });
        self
    }

    /// Headers of its answers so far: name and meaning.
    pub(crate) fn answer_headers(mut self, headers: &'static [(&'static str, &'static str)]) -> Self {
        self.answers.iter_mut().for_each(|answer| answer.headers = headers);
        self
    }

    /// The problems it can end in, besides those that every operation can.
    pub(crate) fn problems(self, problems: &'static [ProblemKind]) -> Self {
        Self { problems, ..self }
    }

    /// Adds it to a router.
    pub(crate) fn add_to(&self, router: Router<Services>) -> Router<Services> {
        if self.method == Method::HEAD { router } else { router.route(self.path, self.handler.clone()) }
    }
}

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}
