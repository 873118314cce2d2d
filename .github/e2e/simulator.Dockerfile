# The simulated Comfy Cloud of the tests, as the upstream of a cluster. The script `images` builds it.

# The build stage of the gateway's own Dockerfile
FROM comfy-gateway-build AS build
COPY Simulator.java /simulator/
RUN javac --class-path target/test-classes -d /simulator/classes /simulator/Simulator.java \
    && cp -r target/test-classes/dev/comfygateway/simulator /simulator/ \
    && mkdir -p /simulator/classes/dev/comfygateway \
    && mv /simulator/simulator /simulator/classes/dev/comfygateway/

FROM eclipse-temurin:25-jre
COPY --from=build /simulator/classes /simulator
USER 65532:65532
EXPOSE 8188 8189
ENTRYPOINT ["java", "-XX:+UseSerialGC", "-Xmx64m", "-cp", "/simulator", "Simulator"]
