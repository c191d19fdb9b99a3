# The agent's image: one static binary and the certificates to check others by. Build where the source is: docker build -t hydrant .
FROM rust:1-alpine AS build
RUN apk add --no-cache musl-dev ca-certificates
WORKDIR /src
COPY . .
RUN cargo build --locked --release && strip -s target/release/hydrant

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/target/release/hydrant /hydrant
USER 65532:65532
ENTRYPOINT ["/hydrant"]
