//! Where slices add their routes: to a worker of the server, or to the OpenAPI document.
//!
//! One function of a slice does both. What describes a route is large, and each worker would make all of it for itself and throw it
//! away: ten megabytes or more that mostly do not go back to the system. So only the document describes.

use actix_web::dev::HttpServiceFactory;
use actix_web::web;
use utoipa_actix_web::{OpenApiFactory, service_config};

/// What a slice adds its routes to.
pub enum ServiceConfig<'a, 's> {
    /// Requests are served.
    Worker(&'a mut web::ServiceConfig),
    /// Routes are described, too.
    Document(&'a mut service_config::ServiceConfig<'s>),
}

impl ServiceConfig<'_, '_> {
    /// Adds a handler.
    pub fn service<F>(&mut self, handler: F) -> &mut Self
    where
        F: HttpServiceFactory + OpenApiFactory + 'static,
    {
        match self {
            Self::Worker(config) => {
                config.service(handler);
            }
            Self::Document(config) => {
                config.service(handler);
            }
        }
        self
    }

    /// Adds what a part of a slice has.
    pub fn configure(&mut self, routes: impl FnOnce(&mut Self)) -> &mut Self {
        routes(self);
        self
    }
}
