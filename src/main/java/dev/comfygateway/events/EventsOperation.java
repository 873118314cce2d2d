package dev.comfygateway.events;

import dev.comfygateway.error.GatewayError;
import dev.comfygateway.openapi.PathCustomizer;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.PathItem;
import io.swagger.v3.oas.models.headers.Header;
import io.swagger.v3.oas.models.media.Content;
import io.swagger.v3.oas.models.media.IntegerSchema;
import io.swagger.v3.oas.models.media.MediaType;
import io.swagger.v3.oas.models.media.StringSchema;
import io.swagger.v3.oas.models.parameters.HeaderParameter;
import io.swagger.v3.oas.models.parameters.Parameter;
import io.swagger.v3.oas.models.parameters.QueryParameter;
import io.swagger.v3.oas.models.responses.ApiResponse;
import io.swagger.v3.oas.models.responses.ApiResponses;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import org.springframework.context.annotation.Lazy;
import org.springframework.http.HttpHeaders;
import org.springframework.stereotype.Component;

/** OpenAPI operation of the stream, which has no controller for springdoc to inspect. */
@Component
@Lazy
class EventsOperation implements PathCustomizer {

	private static final String EXAMPLE = """
			retry: 2741

			event: prompt
			id: 1795592265554
			data: {"exec_info":{"queue_remaining":3}}

			""";

	@Override
	public String path() {
		return EventsHandler.PATH;
	}

	@Override
	public Map<GatewayError, String> errors() {
		return Map.of(GatewayError.tooManyListeners(), "too_many_listeners");
	}

	@Override
	public void customise(OpenAPI document) {
		Operation operation = new Operation().operationId("getPromptEvents")
			.summary("Listen to the prompt execution queue")
			.description("Server-sent events: the current state if it is known, then every change. A comment is"
					+ " sent every 5 s. While there are listeners, one request per `gateway.fresh-for` is"
					+ " sent to the upstream.")
			.parameters(parameters())
			.responses(responses());
		document.path(path(), new PathItem().get(operation));
	}

	private static List<Parameter> parameters() {
		Parameter until = new QueryParameter().name("until")
			.description("Ends the stream with a `done` event once a queue length of at most this number has been"
					+ " observed after the request")
			.required(false)
			.schema(new IntegerSchema().format("int64").minimum(BigDecimal.ZERO))
			.example(0);
		return List.of(until,
				lastEventId(new HeaderParameter().name("Last-Event-ID"), "browsers send it automatically"),
				lastEventId(new QueryParameter().name("lastEventId"), "for clients that cannot send the header"));
	}

	private static Parameter lastEventId(Parameter parameter, String purpose) {
		return parameter.description("Id of the last event of an earlier stream; " + purpose)
			.required(false)
			.schema(new StringSchema())
			.example("1795592265554-done-0");
	}

	private static ApiResponses responses() {
		return new ApiResponses()
			.addApiResponse("200", new ApiResponse()
				.description("Events `prompt`, `stale`, `unknown` and, with `until`, `done` at the end."
						+ " The data of `prompt` and `done` is a `PromptInfo`, that of the others an `ErrorResponse`.")
				.addHeaderObject(HttpHeaders.CACHE_CONTROL, new Header().$ref("No-Store"))
				.addHeaderObject("X-Accel-Buffering",
						new Header().description("Disables buffering in nginx")
							.schema(new StringSchema())
							.required(true)
							.example("no"))
				.content(new Content().addMediaType("text/event-stream",
						new MediaType().schema(new StringSchema()).example(EXAMPLE))))
			.addApiResponse("204", new ApiResponse().description("The stream with this id has already ended"));
	}

}
