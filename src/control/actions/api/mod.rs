//! The endpoints of actions and of the commands that make them.

use crate::http::routing::ServiceConfig;

/// Declares endpoints that pass a body on as a command to a station.
macro_rules! station_commands {
    ($($(#[$doc:meta])* $handler:ident $path:literal $kind:ident ($request:ty) wait $wait:literal $allow:ty;)*) => {$(
        $(#[$doc])*
        #[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station"), Wait),
            request_body = $request, responses(
                (status = OK, body = Reply<ActionView>, description = "The station accepted"),
                (status = ACCEPTED, body = Reply<ActionView>, description = "Asked; the outcome comes by event"),
                CommandErrors))]
        #[post($path)]
        async fn $handler(
            caller: Caller<$allow>,
            ctx: Ctx,
            performer: web::Data<Performer>,
            PathId(id): PathId<StationId>,
            Query(query): Query<Wait>,
            Body(request): Body<$request>,
        ) -> ApiResult<HttpResponse> {
            let target = Target::station(&caller, &ctx, id).await?;
            let command = StationCommand::from(request);
            let data = shown(&command);
            target.command(&performer, ActionKind::$kind, data, command, query.wait.unwrap_or($wait)).await
        }
    )*};
}

mod configuration;
mod connectors;
mod device;
pub(super) mod log;
mod power_limits;
mod stations;
mod target;

/// Adds the endpoints of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config
        .configure(log::routes)
        .configure(stations::routes)
        .configure(device::routes)
        .configure(configuration::routes)
        .configure(power_limits::routes)
        .configure(connectors::routes);
}
