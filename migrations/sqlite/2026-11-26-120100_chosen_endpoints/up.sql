-- Endpoints may be chosen, with letters of either case; stations spell them as they like.
CREATE UNIQUE INDEX chargestations_by_endpoint ON chargestations (lower(endpoint));
