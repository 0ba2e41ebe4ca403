#include "cli/http_client.h"

#include <atomic>
#include <vector>

#include <curl/curl.h>
#include <dlfcn.h>

#include "base/mutex.h"

namespace akidb::cli {
namespace {

constexpr size_t kReplyBytesMax = size_t{256} << 20;
constexpr long kConnectTimeoutMs = 5000;
constexpr long kTimeoutMs = 300'000;

// The functions in use, with the types of the official header.
struct CurlLibrary {
  decltype(&::curl_global_init) global_init = nullptr;
  decltype(&::curl_easy_init) easy_init = nullptr;
  decltype(&::curl_easy_setopt) easy_setopt = nullptr;
  decltype(&::curl_easy_perform) easy_perform = nullptr;
  decltype(&::curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&::curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&::curl_easy_strerror) easy_strerror = nullptr;
  decltype(&::curl_slist_append) slist_append = nullptr;
  decltype(&::curl_slist_free_all) slist_free_all = nullptr;
};

template <typename Function>
bool Find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

// The library stays loaded: it can't be unloaded safely once it was used.
Result<CurlLibrary> LoadCurl() {
  void* library = nullptr;
  for (const char* name : {"libcurl.so.4", "libcurl-gnutls.so.4"}) {
    library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) break;
  }
  if (library == nullptr) {
    return UnsupportedError("talking to a server needs libcurl.so.4: install the package libcurl4");
  }
  CurlLibrary curl;
  bool complete = Find(library, "curl_global_init", curl.global_init) &&
                  Find(library, "curl_easy_init", curl.easy_init) &&
                  Find(library, "curl_easy_setopt", curl.easy_setopt) &&
                  Find(library, "curl_easy_perform", curl.easy_perform) &&
                  Find(library, "curl_easy_getinfo", curl.easy_getinfo) &&
                  Find(library, "curl_easy_cleanup", curl.easy_cleanup) &&
                  Find(library, "curl_easy_strerror", curl.easy_strerror) &&
                  Find(library, "curl_slist_append", curl.slist_append) &&
                  Find(library, "curl_slist_free_all", curl.slist_free_all);
  if (!complete || curl.global_init(CURL_GLOBAL_ALL) != CURLE_OK) {
    return UnsupportedError("the installed libcurl cannot be used");
  }
  return curl;
}

size_t Receive(char* data, size_t, size_t bytes, void* reply) {
  std::string& body = *static_cast<std::string*>(reply);
  if (body.size() + bytes > kReplyBytesMax) return 0;
  body.append(data, bytes);
  return bytes;
}

// Called by the library at least once a second; anything but 0 ends the transfer.
int StopWhenCancelled(void* cancelled, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(cancelled)->load() ? 1 : 0;
}

// What a transfer gives to or takes from, and what went wrong there.
struct Transfer {
  const HttpClient::Take* take = nullptr;
  const HttpUpload* upload = nullptr;
  decltype(&::curl_easy_getinfo) getinfo = nullptr;
  CURL* handle = nullptr;
  std::string body;  // of a refusal
  Status status;
};

size_t TakePiece(char* data, size_t, size_t bytes, void* context) {
  Transfer& transfer = *static_cast<Transfer*>(context);
  long status = 0;
  transfer.getinfo(transfer.handle, CURLINFO_RESPONSE_CODE, &status);
  if (transfer.take == nullptr || status != 200) return Receive(data, 1, bytes, &transfer.body);
  transfer.status = (*transfer.take)({data, bytes});
  return transfer.status.ok() ? bytes : 0;
}

size_t GivePiece(char* data, size_t, size_t bytes, void* context) {
  Transfer& transfer = *static_cast<Transfer*>(context);
  Result<size_t> given = transfer.upload->give({data, bytes});
  if (given.ok()) return *given;
  transfer.status = given.status();
  return CURL_READFUNC_ABORT;
}

class CurlClient final : public HttpClient {
 public:
  CurlClient(CurlLibrary curl, std::string base_url, const HttpCredentials& credentials)
      : curl_(curl), base_url_(std::move(base_url)), credentials_(credentials) {
    headers_ = NewHeaders("application/json");
  }
  ~CurlClient() override {
    for (CURL* handle : idle_) curl_.easy_cleanup(handle);
    curl_.slist_free_all(headers_);
  }

  const std::string& base_url() const override { return base_url_; }

  void Cancel() override { cancelled_ = true; }

  Result<HttpReply> Send(const char* method, const std::string& path,
                         std::string_view body) override {
    CURL* handle = Take();
    if (handle == nullptr) return InternalError("libcurl gives no handle");
    Result<HttpReply> reply = Perform(handle, method, path, body);
    MutexLock lock(mutex_);
    idle_.push_back(handle);
    return reply;
  }

  Result<HttpReply> Download(const std::string& path, const Take& take) override {
    Transfer transfer;
    transfer.take = &take;
    return Run(path, transfer, headers_);
  }

  Result<HttpReply> Upload(const std::string& path, const HttpUpload& upload) override {
    Transfer transfer;
    transfer.upload = &upload;
    curl_slist* headers = NewHeaders(upload.content_type);
    Result<HttpReply> reply = Run(path, transfer, headers);
    curl_.slist_free_all(headers);
    return reply;
  }

 private:
  // One handle a thread at a time; each keeps its connection.
  CURL* Take() {
    MutexLock lock(mutex_);
    if (idle_.empty()) return NewHandle();
    CURL* handle = idle_.back();
    idle_.pop_back();
    return handle;
  }

  curl_slist* NewHeaders(const std::string& content_type) const {
    curl_slist* headers = curl_.slist_append(nullptr, ("content-type: " + content_type).c_str());
    // No round trip to be allowed to send a body.
    headers = curl_.slist_append(headers, "expect:");
    const std::string key = "api-key: " + credentials_.api_key;
    return credentials_.api_key.empty() ? headers : curl_.slist_append(headers, key.c_str());
  }

  // With a handle of its own: nothing of it stays for others.
  Result<HttpReply> Run(const std::string& path, Transfer& transfer, curl_slist* headers) {
    CURL* handle = NewHandle();
    if (handle == nullptr) return InternalError("libcurl gives no handle");
    transfer.handle = handle;
    transfer.getinfo = curl_.easy_getinfo;
    const std::string url = base_url_ + path;
    curl_.easy_setopt(handle, CURLOPT_URL, url.c_str());
    curl_.easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    curl_.easy_setopt(handle, CURLOPT_TIMEOUT_MS, 0L);
    curl_.easy_setopt(handle, CURLOPT_WRITEFUNCTION, &TakePiece);
    curl_.easy_setopt(handle, CURLOPT_WRITEDATA, &transfer);
    if (transfer.upload != nullptr) {
      curl_.easy_setopt(handle, CURLOPT_POST, 1L);
      curl_.easy_setopt(handle, CURLOPT_READFUNCTION, &GivePiece);
      curl_.easy_setopt(handle, CURLOPT_READDATA, &transfer);
      curl_.easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                        static_cast<curl_off_t>(transfer.upload->bytes));
    }
    const CURLcode code = curl_.easy_perform(handle);
    long status = 0;
    curl_.easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    curl_.easy_cleanup(handle);
    AKIDB_RETURN_IF_ERROR(transfer.status);
    // A server that refuses a body may close before it has all of it.
    if (code != CURLE_OK && status < 400) return Failure(code);
    return HttpReply{static_cast<int>(status), std::move(transfer.body)};
  }

  CURL* NewHandle() {
    CURL* handle = curl_.easy_init();
    if (handle == nullptr) return nullptr;
    curl_.easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_.easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
    curl_.easy_setopt(handle, CURLOPT_TIMEOUT_MS, kTimeoutMs);
    curl_.easy_setopt(handle, CURLOPT_USERAGENT, "akidb");
    curl_.easy_setopt(handle, CURLOPT_HTTPHEADER, headers_);
    curl_.easy_setopt(handle, CURLOPT_WRITEFUNCTION, &Receive);
    curl_.easy_setopt(handle, CURLOPT_TCP_NODELAY, 1L);
    curl_.easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_.easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &StopWhenCancelled);
    curl_.easy_setopt(handle, CURLOPT_XFERINFODATA, &cancelled_);
    SetPath(handle, CURLOPT_CAINFO, credentials_.authorities);
    SetPath(handle, CURLOPT_SSLCERT, credentials_.certificate);
    SetPath(handle, CURLOPT_SSLKEY, credentials_.private_key);
    if (IsLoopback()) curl_.easy_setopt(handle, CURLOPT_NOPROXY, "*");
    return handle;
  }

  void SetPath(CURL* handle, CURLoption option, const std::string& path) const {
    if (!path.empty()) curl_.easy_setopt(handle, option, path.c_str());
  }

  bool IsLoopback() const {
    size_t host = base_url_.find("://") + 3;
    std::string_view rest = std::string_view(base_url_).substr(host);
    return rest.starts_with("127.") || rest.starts_with("localhost") || rest.starts_with("[::1]");
  }

  Result<HttpReply> Perform(CURL* handle, const char* method, const std::string& path,
                            std::string_view body) {
    HttpReply reply;
    std::string url = base_url_ + path;
    curl_.easy_setopt(handle, CURLOPT_URL, url.c_str());
    curl_.easy_setopt(handle, CURLOPT_WRITEDATA, &reply.body);
    if (body.empty()) {
      curl_.easy_setopt(handle, CURLOPT_HTTPGET, 1L);
    } else {
      curl_.easy_setopt(handle, CURLOPT_POST, 1L);
      curl_.easy_setopt(handle, CURLOPT_POSTFIELDS, body.data());
      curl_.easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    }
    curl_.easy_setopt(handle, CURLOPT_CUSTOMREQUEST, method);
    CURLcode code = curl_.easy_perform(handle);
    if (code != CURLE_OK) return Failure(code);
    long status = 0;
    curl_.easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    reply.status = static_cast<int>(status);
    return reply;
  }

  Status Failure(CURLcode code) const {
    std::string reason = curl_.easy_strerror(code);
    switch (code) {
      case CURLE_ABORTED_BY_CALLBACK:
        return CancelledError("stopped");
      case CURLE_COULDNT_CONNECT:
      case CURLE_COULDNT_RESOLVE_HOST:
      case CURLE_COULDNT_RESOLVE_PROXY:
      case CURLE_GOT_NOTHING:
      case CURLE_SEND_ERROR:
      case CURLE_RECV_ERROR:
        return UnavailableError("no server answers at " + base_url_ + " (" + reason +
                                "); start one with akidb serve, or give --url or --data-dir");
      case CURLE_SSL_CONNECT_ERROR:
      case CURLE_SSL_CACERT_BADFILE:
      case CURLE_SSL_CERTPROBLEM:
      case CURLE_PEER_FAILED_VERIFICATION:
        return Status(ErrorCode::kPermissionDenied,
                      "TLS with " + base_url_ + " fails (" + reason +
                          "); --tls-ca names the file of the authority to trust, --tls-cert and "
                          "--tls-key those of this client's certificate");
      case CURLE_OPERATION_TIMEDOUT:
        return DeadlineExceededError("the server at " + base_url_ + " doesn't answer in time");
      case CURLE_URL_MALFORMAT:
      case CURLE_UNSUPPORTED_PROTOCOL:
        return InvalidArgumentError(base_url_ + " is not the URL of a server (" + reason + ")");
      case CURLE_WRITE_ERROR:
        return TooLargeError("the server's answer is larger than 256 MiB");
      default:
        return IoError("talking to " + base_url_ + ": " + reason);
    }
  }

  const CurlLibrary curl_;
  const std::string base_url_;
  const HttpCredentials credentials_;
  curl_slist* headers_ = nullptr;
  std::atomic<bool> cancelled_{false};
  Mutex mutex_;
  std::vector<CURL*> idle_ AKIDB_GUARDED_BY(mutex_);
};

}  // namespace

Result<std::unique_ptr<HttpClient>> HttpClient::Create(std::string base_url,
                                                       const HttpCredentials& credentials) {
  if (!base_url.starts_with("http://") && !base_url.starts_with("https://")) {
    return InvalidArgumentError(
        base_url + " is not the URL of a server: it must begin with http:// or https://");
  }
  for (char c : credentials.api_key) {
    if (c <= ' ' || c >= '\x7F') {
      return InvalidArgumentError("an API key has printable ASCII characters and no spaces");
    }
  }
  AKIDB_ASSIGN_OR_RETURN(CurlLibrary curl, LoadCurl());
  return std::make_unique<CurlClient>(curl, std::move(base_url), credentials);
}

std::string HttpClient::Escape(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string escaped;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                 (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '.';
    if (plain) {
      escaped += c;
    } else {
      escaped.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  return escaped;
}

}  // namespace akidb::cli
