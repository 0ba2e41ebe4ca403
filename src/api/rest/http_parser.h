// Beast's parser without its message type: takes what the server needs out of a header and
// allocates nothing per field. One parser per request. Internal to the HTTP server.
#pragma once

#include <boost/beast/http/basic_parser.hpp>

#include "api/rest/http_message.h"

namespace akidb::rest {

class HttpParser final : public boost::beast::http::basic_parser<true> {
 public:
  // Fills `request`, which outlives the parser.
  explicit HttpParser(HttpRequest& request) : request_(request) {}

  bool old_client() const { return old_client_; }  // HTTP/1.0
  bool has_host() const { return has_host_; }
  bool has_transfer_encoding() const { return has_transfer_encoding_; }
  // Beside `chunked`.
  bool has_other_transfer_encoding() const { return has_other_transfer_encoding_; }
  bool has_content_encoding() const { return has_content_encoding_; }
  bool expects_continue() const { return expects_continue_; }
  bool expects_unknown() const { return expects_unknown_; }

 private:
  using ErrorCode = boost::beast::error_code;
  using View = boost::beast::string_view;
  using Verb = boost::beast::http::verb;
  using Field = boost::beast::http::field;
  using Unused = boost::optional<std::uint64_t> const&;

  void on_request_impl(Verb, View method, View target, int version, ErrorCode& error) override;
  void on_response_impl(int, View, int, ErrorCode&) override {}
  void on_field_impl(Field name, View, View value, ErrorCode& error) override;
  void TakeAuthorization(std::string_view value);
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(Unused, ErrorCode&) override {}
  std::size_t on_body_impl(View body, ErrorCode& error) override;
  void on_chunk_header_impl(std::uint64_t, View, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, View body, ErrorCode& error) override;
  void on_finish_impl(ErrorCode&) override {}

  HttpRequest& request_;
  bool old_client_ = false;
  bool has_host_ = false;
  bool has_transfer_encoding_ = false;
  bool has_other_transfer_encoding_ = false;
  bool has_api_key_header_ = false;
  bool has_content_encoding_ = false;
  bool expects_continue_ = false;
  bool expects_unknown_ = false;
};

}  // namespace akidb::rest
