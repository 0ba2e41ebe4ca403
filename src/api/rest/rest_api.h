// The REST application: routes a request, reads its parameters, runs the handler, and writes what
// went wrong in the dialect's or in OpenAI's form. Thread-safe.
#pragma once

#include <optional>

#include "api/rest/api_call.h"
#include "api/rest/http_message.h"
#include "api/rest/route.h"
#include "base/log.h"
#include "service/service.h"

namespace akidb::rest {

class RestApi final : public HttpApplication {
 public:
  // `service` and `log` outlive it.
  RestApi(service::Service& service, ApiOptions options, Logger& log);

  HttpReception Receive(const HttpRequest& request) override;
  std::variant<HttpResponse, HttpJob> Begin(const HttpRequest& request) override;
  HttpResponse Refuse(const HttpRequest& request, const Status& reason) override;

 private:
  // Nothing where the request's key allows it, and who asks: else 401 or 403. The collection is
  // that of the path, or empty.
  std::optional<HttpResponse> Denied(const HttpRequest& request, Right right,
                                     std::string_view collection, service::Caller& caller) const;
  HttpResponse Answer(const HttpRequest& request, const Route& route, ApiCall& call);
  // Counts an answer.
  HttpResponse Counted(const HttpRequest& request, const Route& route, HttpResponse response);
  HttpResponse Options(const HttpRequest& request) const;
  bool MayRead(std::string_view origin) const;
  bool Compresses(const HttpRequest& request) const;
  // With what lets the page of `request` read it.
  HttpResponse Readable(const HttpRequest& request, HttpResponse response) const;
  void AddCors(const HttpRequest& request, HttpResponse& response) const;

  service::Service& service_;
  const ApiOptions options_;
  RequestStatistics statistics_;
  Logger& log_;
};

}  // namespace akidb::rest
