#include "api/rest/http_parser.h"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>

namespace akidb::rest {

void HttpParser::on_request_impl(Verb, View method, View target, int version, ErrorCode&) {
  old_client_ = version < 11;
  request_.method.assign(method.data(), method.size());
  request_.target.assign(target.data(), target.size());
}

void HttpParser::on_field_impl(Field name, View spelling, View value, ErrorCode& error) {
  switch (name) {
    case Field::host:
      // RFC 9112, 3.2: more than one is an attempt to confuse.
      if (has_host_) error = boost::beast::http::error::bad_field;
      has_host_ = true;
      request_.host.assign(value.data(), value.size());
      break;
    case Field::origin:
      request_.origin.assign(value.data(), value.size());
      break;
    case Field::access_control_request_method:
      request_.preflight = true;
      break;
    case Field::transfer_encoding:
      if (has_transfer_encoding_ || !boost::beast::iequals(value, "chunked")) {
        has_other_transfer_encoding_ = true;
      }
      has_transfer_encoding_ = true;
      break;
    case Field::content_type:
      request_.content_type.assign(value.data(), value.size());
      break;
    case Field::accept_encoding:
      if (!request_.accept_encoding.empty()) request_.accept_encoding += ',';
      request_.accept_encoding.append(value.data(), value.size());
      break;
    case Field::content_encoding:
      has_content_encoding_ = !boost::beast::iequals(value, "identity");
      break;
    case Field::expect:
      if (boost::beast::iequals(value, "100-continue")) {
        expects_continue_ = true;
      } else {
        expects_unknown_ = true;
      }
      break;
    case Field::authorization:
      TakeAuthorization({value.data(), value.size()});
      break;
    case Field::unknown:
      if (boost::beast::iequals(spelling, "api-key")) {
        request_.api_key.assign(value.data(), value.size());
        has_api_key_header_ = true;
      } else if (boost::beast::iequals(spelling, "x-akidb-recall")) {
        request_.recall.assign(value.data(), value.size());
      } else if (boost::beast::iequals(spelling, "x-akidb-explain")) {
        request_.explain.assign(value.data(), value.size());
      }
      break;
    default:
      break;
  }
}

// RFC 6750; the scheme's case does not matter (RFC 9110, 11.1).
void HttpParser::TakeAuthorization(std::string_view value) {
  constexpr std::string_view kBearer = "Bearer ";
  if (has_api_key_header_ || value.size() < kBearer.size()) return;
  if (!boost::beast::iequals(value.substr(0, kBearer.size()), kBearer)) return;
  request_.api_key = value.substr(kBearer.size());
}

std::size_t HttpParser::on_body_impl(View body, ErrorCode&) {
  request_.body.append(body.data(), body.size());
  return body.size();
}

std::size_t HttpParser::on_chunk_body_impl(std::uint64_t, View body, ErrorCode&) {
  request_.body.append(body.data(), body.size());
  return body.size();
}

}  // namespace akidb::rest
