# The gateway as it is shipped: docker build -t comfy-gateway .

# A release names both by digest, as src/image/base.Dockerfile has them
ARG JDK_IMAGE=eclipse-temurin:25-jdk
ARG ROOT_IMAGE=debian:13-slim

FROM ${JDK_IMAGE} AS build
WORKDIR /build
# Without unzip Maven's wrapper fetches another archive than the one of its checksum. The other two go into the image
RUN apt-get update && apt-get install --yes --no-install-recommends unzip ca-certificates tzdata \
    && rm -rf /var/lib/apt/lists/*
# Dependencies before sources, which change more often
COPY .mvn .mvn
COPY mvnw pom.xml ./
RUN ./mvnw --batch-mode --no-transfer-progress test-compile
# Only the modules of Java that the gateway needs, as jdeps lists them, and those that are found by name alone:
# elliptic curves for TLS, DNS, tokens for proxies, management for the metrics, options of sockets for Redis
# More of them, with commas between, for agents that need them
ARG MODULES=
RUN jlink --output /opt/jre --strip-java-debug-attributes --no-header-files --no-man-pages --compress zip-6 --add-modules \
    java.base,java.compiler,java.desktop,java.instrument,java.logging,java.management,java.naming,java.net.http,java.prefs,java.scripting,java.security.jgss,java.sql,java.xml,jdk.crypto.ec,jdk.jfr,jdk.management,jdk.naming.dns,jdk.net,jdk.unsupported${MODULES:+,$MODULES}
COPY . .
# In a git worktree .git is a file that names a repository outside of the build: the image then lacks the commit
RUN if [ -f .git ]; then rm .git; fi \
    && ./mvnw --batch-mode --no-transfer-progress package -Dmaven.test.skip
# The AOT cache is valid for these paths, files and this Java only: everything is assembled in its final place
RUN RUNTIME=/opt/jre src/image/assemble /opt/comfy-gateway \
    && javac -d /opt/comfy-gateway/health src/image/Health.java

# Root file system with the C library and little more: no shell, no package manager
FROM ${ROOT_IMAGE} AS root
COPY --from=build /opt/jre /opt/jre
COPY src/image/rootfs /usr/local/bin/
RUN rootfs /opt/jre /rootfs

FROM scratch
COPY --from=root /rootfs /
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /usr/share/zoneinfo /usr/share/zoneinfo
COPY --from=build /opt/jre /opt/jre
COPY --from=build /opt/comfy-gateway/lib /opt/comfy-gateway/lib
COPY --from=build /opt/comfy-gateway/comfy-gateway.jar /opt/comfy-gateway/comfy-gateway.aot /opt/comfy-gateway/jvm.flags /opt/comfy-gateway/health/Health.class /opt/comfy-gateway/
ARG VERSION=1.0.0
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="comfy-gateway" \
      org.opencontainers.image.description="Answers Comfy Cloud's GET /api/prompt for callers that hold no key" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.source="$SOURCE"
# One arena of malloc, since few threads allocate at the same time
ENV MALLOC_ARENA_MAX=1
USER 65532:65532
EXPOSE 8080 8081
# Jetty's working directory, where the root file system is read-only
VOLUME /tmp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["/opt/jre/bin/java", "-XX:+UseSerialGC", "-Xint", "-Xmx8m", "-cp", "/opt/comfy-gateway", "Health"]
ENTRYPOINT ["/opt/jre/bin/java", "-XX:Flags=/opt/comfy-gateway/jvm.flags", "-XX:AOTCache=/opt/comfy-gateway/comfy-gateway.aot", "-jar", "/opt/comfy-gateway/comfy-gateway.jar"]
