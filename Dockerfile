# Image of the gateway: docker build -t comfy-gateway .

# A release sets both to the digests in src/image/base.Dockerfile
ARG JDK_IMAGE=eclipse-temurin:25-jdk
ARG ROOT_IMAGE=debian:13-slim

FROM ${JDK_IMAGE} AS build
WORKDIR /build
# Without unzip, Maven's wrapper downloads an archive that does not match its checksum. The other two are copied to the image
RUN apt-get update && apt-get install --yes --no-install-recommends unzip ca-certificates tzdata \
    && rm -rf /var/lib/apt/lists/*
# Dependencies first, since sources change more often
COPY .mvn .mvn
COPY mvnw pom.xml ./
RUN ./mvnw --batch-mode --no-transfer-progress test-compile
# The Java modules that the gateway needs according to jdeps, and those that are loaded by name: elliptic curves for TLS,
# DNS, authentication of proxies, management for the metrics, socket options for Redis.
# MODULES adds modules for agents, separated by commas
ARG MODULES=
RUN jlink --output /opt/jre --strip-java-debug-attributes --no-header-files --no-man-pages --compress zip-6 --add-modules \
    java.base,java.compiler,java.desktop,java.instrument,java.logging,java.management,java.naming,java.net.http,java.prefs,java.scripting,java.security.jgss,java.sql,java.xml,jdk.crypto.ec,jdk.jfr,jdk.management,jdk.naming.dns,jdk.net,jdk.unsupported${MODULES:+,$MODULES}
COPY . .
# In a git worktree, .git is a file that refers to a repository outside the build context: the image then lacks the commit
RUN if [ -f .git ]; then rm .git; fi \
    && ./mvnw --batch-mode --no-transfer-progress package -Dmaven.test.skip
# The AOT cache is valid only for these paths, files and this JDK build: all files are assembled in their final location
RUN RUNTIME=/opt/jre src/image/assemble /opt/comfy-gateway \
    && javac -d /opt/comfy-gateway/health src/image/Health.java

# Minimal root file system with the C library: no shell, no package manager
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
      org.opencontainers.image.description="Serves Comfy Cloud's GET /api/prompt to callers without an API key" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.source="$SOURCE"
# A single malloc arena, since few threads allocate concurrently
ENV MALLOC_ARENA_MAX=1
USER 65532:65532
EXPOSE 8080 8081
# Jetty's working directory; the root file system can be read-only
VOLUME /tmp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["/opt/jre/bin/java", "-XX:+UseSerialGC", "-Xint", "-Xmx8m", "-cp", "/opt/comfy-gateway", "Health"]
ENTRYPOINT ["/opt/jre/bin/java", "-XX:Flags=/opt/comfy-gateway/jvm.flags", "-XX:AOTCache=/opt/comfy-gateway/comfy-gateway.aot", "-jar", "/opt/comfy-gateway/comfy-gateway.jar"]
