// Against the real library and the default model where they are installed (AKIDB_MODELS_DIR and
// AKIDB_ORT_LIB, else build/models and build/lib of the source tree); skipped where they are not.
#include "embedding/embedder.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <random>

#include <gtest/gtest.h>

#include "base/sha256.h"
#include "embedding/install_paths.h"
#include "embedding/manifest.h"

namespace akidb::embedding {
namespace {

namespace files = std::filesystem;

std::string FromEnvironment(const char* name, std::string otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

std::string InstalledModels() { return FromEnvironment("AKIDB_MODELS_DIR", AKIDB_TEST_MODELS_DIR); }

std::string InstalledLibrary() {
  std::string found = FromEnvironment("AKIDB_ORT_LIB", "");
  if (!found.empty() || !files::exists(AKIDB_TEST_LIBRARY_DIR)) return found;
  for (const auto& entry : files::directory_iterator(AKIDB_TEST_LIBRARY_DIR)) {
    if (entry.path().filename().string().starts_with("libonnxruntime.so")) found = entry.path();
  }
  return found;
}

class EmbedderTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = (files::temp_directory_path() / "akidb_embedder_XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
  }
  void TearDown() override { files::remove_all(folder_); }

  void NeedModel() {
    library_ = InstalledLibrary();
    if (library_.empty() || !files::exists(InstalledModels() + "/all-minilm-l6-v2/model.onnx")) {
      GTEST_SKIP() << "needs the default model and ONNX Runtime: run `akidb models pull`";
    }
  }

  std::unique_ptr<Embedder> Make(EmbedderOptions options) {
    options.onnxruntime_library = library_;
    return MakeEmbedder(std::move(options), *fs_, *log_);
  }
  std::unique_ptr<Embedder> MakeInstalled() {
    EmbedderOptions options;
    options.models_dir = InstalledModels();
    options.threads = 2;
    return Make(options);
  }
  // An embedder over a copy of the default model in a folder that the test may damage.
  std::unique_ptr<Embedder> MakeCopy() {
    files::copy(InstalledModels() + "/all-minilm-l6-v2", ModelFolder());
    EmbedderOptions options;
    options.models_dir = folder_;
    return Make(options);
  }
  std::string ModelFolder() const { return folder_ + "/all-minilm-l6-v2"; }
  std::string GraphPath() const { return ModelFolder() + "/model.onnx"; }

  Result<EmbedResult> Embed(Embedder& embedder, const std::vector<std::string>& texts) {
    EmbedRequest request;
    request.texts = texts;
    return embedder.Embed(context_, request);
  }

  // Describes the default model's files under another manifest, varied at one place.
  void WriteManifest(std::string_view from, std::string_view to) {
    std::string json(BuiltInManifests()[0]);
    for (auto [old_text, new_text] :
         {std::pair<std::string_view, std::string_view>{"\"all-minilm-l6-v2\"", "\"varied\""},
          {from, to}}) {
      const size_t at = json.find(old_text);
      ASSERT_NE(at, std::string::npos) << old_text;
      json.replace(at, old_text.size(), new_text);
    }
    files::copy(InstalledModels() + "/all-minilm-l6-v2", folder_ + "/varied");
    ASSERT_TRUE(env::WriteFileAtomically(*fs_, folder_ + "/varied/manifest.json",
                                         std::as_bytes(std::span(json)))
                    .ok());
  }
  // The default model's files under another name.
  void CopyModel(const std::string& name) {
    const std::string folder = folder_ + "/" + name;
    files::create_directories(folder);
    for (const char* file : {"model.onnx", "tokenizer.json"}) {
      files::create_symlink(InstalledModels() + "/all-minilm-l6-v2/" + file, folder + "/" + file);
    }
    std::string json(BuiltInManifests()[0]);
    json.replace(json.find("all-minilm-l6-v2"), 16, name);
    ASSERT_TRUE(
        env::WriteFileAtomically(*fs_, folder + "/manifest.json", std::as_bytes(std::span(json)))
            .ok());
  }
  Status LoadVaried() {
    EmbedderOptions options;
    options.models_dir = folder_;
    return Make(options)->Load(context_, "varied");
  }

  std::unique_ptr<env::FileSystem> fs_ = env::MakePosixFileSystem();
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  RequestContext context_;
  std::string folder_;
  std::string library_;
};

double Cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0;
  for (size_t i = 0; i < a.size(); ++i) dot += double{a[i]} * double{b[i]};
  return dot;
}

TEST_F(EmbedderTest, ListsModelsWithoutLoading) {
  EmbedderOptions options;
  options.models_dir = folder_;
  std::unique_ptr<Embedder> embedder = Make(options);
  std::vector<ModelInfo> models = embedder->Models();
  ASSERT_FALSE(models.empty());
  EXPECT_EQ(models[0].id, "all-minilm-l6-v2");
  EXPECT_EQ(models[0].dims, 384u);
  EXPECT_TRUE(models[0].is_default);
  EXPECT_EQ(models[0].state, ModelState::kAbsent);
  EXPECT_NE(models[0].state_reason.find("akidb models pull"), std::string::npos);
  EXPECT_TRUE(embedder->FindModel("Sentence-Transformers/ALL-MiniLM-L6-v2").ok());
  EXPECT_EQ(embedder->FindModel("").value().id, "all-minilm-l6-v2");
  EXPECT_EQ(embedder->FindModel("nope").status().code(), ErrorCode::kNotFound);
}

TEST_F(EmbedderTest, SaysWhichModelsExist) {
  EmbedRequest request;
  request.model = "nope";
  const std::vector<std::string> texts = {"a"};
  request.texts = texts;
  EmbedderOptions options;
  options.models_dir = folder_;
  Status status = Make(options)->Embed(context_, request).status();
  EXPECT_EQ(status.code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(status.message().find("all-minilm-l6-v2"), std::string_view::npos);
}

TEST_F(EmbedderTest, SaysWhatToInstallWhenTheModelIsMissing) {
  EmbedderOptions options;
  options.models_dir = folder_ + "/missing";
  Status status = Make(options)->Load(context_, "");
  EXPECT_EQ(status.code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(status.message().find("akidb models pull"), std::string_view::npos);
}

TEST_F(EmbedderTest, SaysWhatToInstallWhenTheLibraryIsMissing) {
  NeedModel();
  if (IsSkipped()) return;
  library_ = folder_ + "/libonnxruntime.so";
  std::unique_ptr<Embedder> embedder = MakeInstalled();
  Status status = Embed(*embedder, {"a"}).status();
  EXPECT_EQ(status.code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(status.message().find("akidb models pull"), std::string_view::npos);
  EXPECT_NE(status.message().find(library_), std::string_view::npos);
  EXPECT_EQ(embedder->FindModel("")->state, ModelState::kFailed);
}

TEST_F(EmbedderTest, RefusesALibraryThatIsNotOnnxRuntime) {
  NeedModel();
  if (IsSkipped()) return;
  library_ = "libm.so.6";
  Status status = MakeInstalled()->Load(context_, "");
  EXPECT_EQ(status.code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(status.message().find("OrtGetApiBase"), std::string_view::npos);
}

TEST_F(EmbedderTest, RefusesATruncatedModel) {
  NeedModel();
  if (IsSkipped()) return;
  std::unique_ptr<Embedder> embedder = MakeCopy();
  files::resize_file(GraphPath(), 1'000'000);
  Status status = embedder->Load(context_, "");
  EXPECT_EQ(status.code(), ErrorCode::kCorruption);
  EXPECT_NE(status.message().find("truncated"), std::string_view::npos);
  EXPECT_NE(status.message().find(GraphPath()), std::string_view::npos);
}

TEST_F(EmbedderTest, RefusesAModelWithAnotherChecksum) {
  NeedModel();
  if (IsSkipped()) return;
  std::unique_ptr<Embedder> embedder = MakeCopy();
  const std::byte changed[] = {std::byte{1}};
  ASSERT_TRUE(fs_->Open(GraphPath(), env::OpenMode::kReadWrite).value()->WriteAt(99, changed).ok());
  Status status = embedder->Load(context_, "");
  EXPECT_EQ(status.code(), ErrorCode::kCorruption);
  EXPECT_NE(status.message().find("SHA-256"), std::string_view::npos);
}

TEST_F(EmbedderTest, LoadsAfterAMissingFileCameBack) {
  NeedModel();
  if (IsSkipped()) return;
  std::unique_ptr<Embedder> embedder = MakeCopy();
  files::rename(GraphPath(), GraphPath() + ".away");
  EXPECT_EQ(embedder->FindModel("")->state, ModelState::kAbsent);
  files::rename(GraphPath() + ".away", GraphPath());
  EXPECT_EQ(embedder->FindModel("")->state, ModelState::kInstalled);
  ASSERT_TRUE(embedder->Load(context_, "").ok());
  EXPECT_EQ(embedder->FindModel("")->state, ModelState::kReady);
}

// Its weights are counted, whatever the manifest says, and runs leave nothing.
TEST_F(EmbedderTest, CountsWhatALoadedModelTakes) {
  NeedModel();
  if (IsSkipped()) return;
  WriteManifest(R"("memory_bytes": 150000000)", R"("memory_bytes": 1)");
  EmbedderOptions options;
  options.models_dir = folder_;
  options.default_model = "varied";
  std::unique_ptr<Embedder> embedder = Make(options);
  EXPECT_EQ(embedder->FindModel("")->memory_bytes, 1u);
  ASSERT_TRUE(embedder->Load(context_, "").ok());
  const uint64_t loaded = embedder->FindModel("")->memory_bytes;
  EXPECT_GT(loaded, files::file_size(folder_ + "/varied/model.onnx") / 2);
  ASSERT_TRUE(Embed(*embedder, std::vector<std::string>(9, std::string(900, 'a'))).ok());
  EXPECT_EQ(embedder->FindModel("")->memory_bytes, loaded);
}

// A link to itself: as a folder that this process may not enter, but for every user.
TEST_F(EmbedderTest, AFileThatCantBeLookedAtIsNotTheCallersFault) {
  files::create_directories(ModelFolder());
  files::create_symlink("model.onnx", GraphPath());
  EmbedderOptions options;
  options.models_dir = folder_;
  std::unique_ptr<Embedder> embedder = Make(options);
  const Status status = Embed(*embedder, {"a"}).status();
  EXPECT_EQ(status.code(), ErrorCode::kUnavailable);
  EXPECT_NE(status.message().find(GraphPath()), std::string_view::npos) << status.message();
}

TEST_F(EmbedderTest, RefusesAWrongOutputWidth) {
  NeedModel();
  if (IsSkipped()) return;
  WriteManifest(R"("native": 384)", R"("native": 512)");
  Status status = LoadVaried();
  EXPECT_EQ(status.code(), ErrorCode::kCorruption);
  EXPECT_NE(status.message().find("[?,?,384]"), std::string_view::npos) << status.message();
  EXPECT_NE(status.message().find("[?,?,512]"), std::string_view::npos) << status.message();
}

TEST_F(EmbedderTest, RefusesInputsAndOutputsThatTheGraphLacks) {
  NeedModel();
  if (IsSkipped()) return;
  WriteManifest(R"("last_hidden_state")", R"("pooled")");
  Status status = LoadVaried();
  EXPECT_EQ(status.code(), ErrorCode::kCorruption);
  EXPECT_NE(status.message().find("`pooled`"), std::string_view::npos) << status.message();
}

TEST_F(EmbedderTest, RefusesAModelThatFailsItsGoldenText) {
  NeedModel();
  if (IsSkipped()) return;
  WriteManifest(R"("pooling": "mean")", R"("pooling": "cls")");
  Status status = LoadVaried();
  EXPECT_EQ(status.code(), ErrorCode::kCorruption);
  EXPECT_NE(status.message().find("golden text 0"), std::string_view::npos) << status.message();
}

TEST_F(EmbedderTest, RefusesBytesThatAreNoModel) {
  NeedModel();
  if (IsSkipped()) return;
  const std::string junk(1000, 'x');
  const std::string sha = Sha256Hex(std::as_bytes(std::span(junk)));
  WriteManifest(R"(8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    "bytes": 22928619)",
                sha + "\", \"bytes\": 1000");
  ASSERT_TRUE(
      env::WriteFileAtomically(*fs_, folder_ + "/varied/model.onnx", std::as_bytes(std::span(junk)))
          .ok());
  EXPECT_EQ(LoadVaried().code(), ErrorCode::kCorruption);
}

TEST_F(EmbedderTest, LeavesADamagedManifestOut) {
  ASSERT_TRUE(fs_->CreateDirectories(folder_ + "/bad").ok());
  const std::string_view json = "{\"id\": 1}";
  ASSERT_TRUE(
      env::WriteFileAtomically(*fs_, folder_ + "/bad/manifest.json", std::as_bytes(std::span(json)))
          .ok());
  EmbedderOptions options;
  options.models_dir = folder_;
  EXPECT_EQ(Make(options)->Models().size(), BuiltInManifests().size());
}

TEST_F(EmbedderTest, VectorsDoNotDependOnTheBatch) {
  NeedModel();
  if (IsSkipped()) return;
  std::unique_ptr<Embedder> embedder = MakeInstalled();
  const auto seed = static_cast<unsigned>(
      std::strtoul(FromEnvironment("AKIDB_TEST_SEED", "1").c_str(), nullptr, 10));
  std::printf("AKIDB_TEST_SEED=%u\n", seed);
  std::mt19937 random(seed);
  std::vector<std::string> texts;
  for (int i = 0; i < 40; ++i) {
    std::string text;
    for (unsigned words = random() % 120; words > 0; --words) {
      text += "word" + std::to_string(random() % 50) + " ";
    }
    texts.push_back(text + std::to_string(i));
  }
  Result<EmbedResult> together = Embed(*embedder, texts);
  ASSERT_TRUE(together.ok()) << together.status().ToString();
  for (size_t i = 0; i < texts.size(); ++i) {
    Result<EmbedResult> alone = Embed(*embedder, {texts[i]});
    ASSERT_TRUE(alone.ok());
    EXPECT_GE(Cosine(alone->vector(0), together->vector(i)), 0.99999) << texts[i].size();
    EXPECT_NEAR(Cosine(alone->vector(0), alone->vector(0)), 1, 1e-5);
  }
}

// Those whose activations share a scale are run alone, and then it holds for them, too.
TEST_F(EmbedderTest, NoBuiltInModelLetsTextsMeet) {
  NeedModel();
  if (IsSkipped()) return;
  std::unique_ptr<Embedder> embedder = MakeInstalled();
  const std::vector<std::string> texts = {"a", "dpkg -S finds the package of a file", "软件包",
                                          "a text of some more words, so that others are padded"};
  for (const ModelInfo& model : embedder->Models()) {
    if (model.state != ModelState::kInstalled) continue;
    EmbedRequest request;
    request.model = model.id;
    request.texts = texts;
    Result<EmbedResult> together = embedder->Embed(context_, request);
    ASSERT_TRUE(together.ok()) << model.id << ": " << together.status().ToString();
    for (size_t i = 0; i < texts.size(); ++i) {
      request.texts = std::span(texts).subspan(i, 1);
      Result<EmbedResult> alone = embedder->Embed(context_, request);
      ASSERT_TRUE(alone.ok());
      EXPECT_GE(Cosine(alone->vector(0), together->vector(i)), 0.99999) << model.id << " " << i;
    }
  }
}

TEST_F(EmbedderTest, EmbedsTextsOfEveryShape) {
  NeedModel();
  if (IsSkipped()) return;
  std::unique_ptr<Embedder> embedder = MakeInstalled();
  const std::vector<std::string> texts = {"", std::string(1 << 20, 'a'), std::string(1 << 20, ' '),
                                          "\xff\xfe broken \xc3", std::string("nul\0nul", 7)};
  std::string megabyte;
  while (megabyte.size() < (1 << 20)) megabyte += "many words ";
  std::vector<std::string> all = texts;
  all.push_back(megabyte);
  Result<EmbedResult> result = Embed(*embedder, all);
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(result->tokens[0], 2u);
  EXPECT_FALSE(result->truncated[0]);
  EXPECT_EQ(result->tokens[1], 3u);  // one unknown word
  EXPECT_EQ(result->tokens[5], 256u);
  EXPECT_TRUE(result->truncated[5]);
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_NEAR(Cosine(result->vector(i), result->vector(i)), 1, 1e-5) << i;
  }
}

TEST_F(EmbedderTest, CutsWhereAsked) {
  NeedModel();
  if (IsSkipped()) return;
  std::unique_ptr<Embedder> embedder = MakeInstalled();
  std::string filler;
  for (int i = 0; i < 400; ++i) filler += "filler ";
  std::string tail;
  for (int i = 0; i < 254; ++i) tail += "tail ";
  const std::vector<std::string> texts = {filler + tail};
  EmbedRequest request;
  request.texts = texts;
  request.truncate = Truncate::kStart;
  Result<EmbedResult> cut = embedder->Embed(context_, request);
  ASSERT_TRUE(cut.ok());
  EXPECT_TRUE(cut->truncated[0]);
  EXPECT_EQ(cut->tokens[0], 256u);
  EXPECT_GE(Cosine(cut->vector(0), Embed(*embedder, {tail})->vector(0)), 0.99999);
  request.truncate = Truncate::kNone;
  EXPECT_EQ(embedder->Embed(context_, request).status().code(), ErrorCode::kTooLarge);
}

TEST_F(EmbedderTest, TokenizesWithoutTheGraphAndTheLibrary) {
  NeedModel();
  if (IsSkipped()) return;
  files::create_directories(ModelFolder());
  files::copy(InstalledModels() + "/all-minilm-l6-v2/tokenizer.json", ModelFolder());
  library_ = folder_ + "/none.so";
  EmbedderOptions options;
  options.models_dir = folder_;
  std::unique_ptr<Embedder> embedder = Make(options);
  const std::vector<std::string> texts = {"The pump's lubricated.", ""};
  TokenizeRequest request;
  request.texts = texts;
  Result<TokenizeResult> result = embedder->Tokenize(context_, request);
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(result->model, "all-minilm-l6-v2");
  EXPECT_EQ(result->max_tokens, 256u);
  const std::vector<std::string> expected = {"[CLS]", "the",   "pump",    "'", "s",
                                             "lu",    "##bri", "##cated", ".", "[SEP]"};
  EXPECT_EQ(result->texts[0].tokens, expected);
  EXPECT_EQ(result->texts[0].ids.size(), expected.size());
  EXPECT_EQ(result->texts[1].tokens, (std::vector<std::string>{"[CLS]", "[SEP]"}));
  DetokenizeRequest back;
  back.ids = result->texts[0].ids;
  Result<DetokenizeResult> text = embedder->Detokenize(context_, back);
  ASSERT_TRUE(text.ok()) << text.status().ToString();
  EXPECT_EQ(text->text, "the pump ' s lubricated.");
  request.model = "no-such-model";
  EXPECT_EQ(embedder->Tokenize(context_, request).status().code(), ErrorCode::kInvalidArgument);
  back.model = "bge-small-en-v1.5";  // described, not installed
  EXPECT_EQ(embedder->Detokenize(context_, back).status().code(), ErrorCode::kInvalidArgument);
}

TEST_F(EmbedderTest, TokenizesAsItEmbeds) {
  NeedModel();
  if (IsSkipped()) return;
  std::unique_ptr<Embedder> embedder = MakeInstalled();
  std::string words;
  for (int i = 0; i < 400; ++i) words += "pump ";
  const std::vector<std::string> texts = {"a", words, "[CLS] x \x01\x02 \t",
                                          "\xE4\xB8\xAD\xE6\x96\x87"};
  Result<EmbedResult> embedded = Embed(*embedder, texts);
  ASSERT_TRUE(embedded.ok()) << embedded.status().ToString();
  TokenizeRequest request;
  request.texts = texts;
  request.truncate = Truncate::kEnd;
  Result<TokenizeResult> result = embedder->Tokenize(context_, request);
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(result->texts[i].ids.size(), embedded->tokens[i]) << i;
    EXPECT_EQ(result->texts[i].truncated, embedded->truncated[i]) << i;
  }
  EXPECT_TRUE(result->texts[1].truncated);
}

TEST_F(EmbedderTest, RefusesWhatTheModelDoesNotOffer) {
  NeedModel();
  if (IsSkipped()) return;
  std::unique_ptr<Embedder> embedder = MakeInstalled();
  EXPECT_EQ(Embed(*embedder, {}).status().code(), ErrorCode::kInvalidArgument);
  const std::vector<std::string> texts = {"a"};
  EmbedRequest request;
  request.texts = texts;
  request.dims = 100;
  EXPECT_EQ(embedder->Embed(context_, request).status().code(), ErrorCode::kInvalidArgument);
  request.dims = 384;
  EXPECT_TRUE(embedder->Embed(context_, request).ok());
  request.instruction = "find";
  EXPECT_EQ(embedder->Embed(context_, request).status().code(), ErrorCode::kInvalidArgument);
}

TEST_F(EmbedderTest, EndsAtCancellationAndDeadline) {
  NeedModel();
  if (IsSkipped()) return;
  std::unique_ptr<Embedder> embedder = MakeInstalled();
  ASSERT_TRUE(embedder->Load(context_, "").ok());
  std::vector<std::string> texts;
  // No two of the same tokens: those would be run once.
  for (int i = 0; i < 2000; ++i) {
    texts.push_back(std::to_string(i));
    for (int word = 0; word < 200; ++word) texts.back() += " w";
  }
  EmbedRequest request;
  request.texts = texts;
  RequestContext hurried(std::chrono::steady_clock::now() + std::chrono::milliseconds(50));
  EXPECT_EQ(embedder->Embed(hurried, request).status().code(), ErrorCode::kDeadlineExceeded);
  RequestContext cancelled;
  auto running = std::async(std::launch::async,
                            [&] { return embedder->Embed(cancelled, request).status().code(); });
  EXPECT_TRUE(Embed(*embedder, {"another is served meanwhile"}).ok());
  cancelled.Cancel();
  EXPECT_EQ(running.get(), ErrorCode::kCancelled);
  EXPECT_TRUE(Embed(*embedder, {"and afterwards"}).ok());
}

TEST_F(EmbedderTest, RefusesMoreTextsThanTheQueueTakes) {
  NeedModel();
  if (IsSkipped()) return;
  EmbedderOptions options;
  options.models_dir = InstalledModels();
  options.queue_items_max = 64;
  std::unique_ptr<Embedder> embedder = Make(options);
  ASSERT_TRUE(embedder->Load(context_, "").ok());
  std::vector<std::string> many;
  for (int i = 0; i < 64; ++i) many.push_back("a text that takes a while " + std::to_string(i));
  RequestContext cancelled;
  std::promise<void> begun;
  // Keeps the queue full until it is cancelled, whatever the speed.
  auto filling = std::async(std::launch::async, [&] {
    EmbedRequest request;
    request.texts = many;
    begun.set_value();
    while (embedder->Embed(cancelled, request).status().code() != ErrorCode::kCancelled) continue;
  });
  begun.get_future().wait();
  ErrorCode code = ErrorCode::kOk;
  const std::vector<std::string> more(10, "b");
  while (code == ErrorCode::kOk) code = Embed(*embedder, more).status().code();
  EXPECT_EQ(code, ErrorCode::kResourceExhausted);
  cancelled.Cancel();
  filling.get();
}

TEST_F(EmbedderTest, ServesMoreModelsThanAreLoadedAtATime) {
  NeedModel();
  if (IsSkipped()) return;
  for (const char* name : {"a", "b", "c"}) CopyModel(name);
  EmbedderOptions options;
  options.models_dir = folder_;
  options.models_max = 2;
  options.pinned_models = {"B"};
  std::unique_ptr<Embedder> embedder = Make(options);
  const std::vector<std::string> texts = {"a text"};
  std::vector<float> first;
  for (const char* name : {"a", "b", "c", "a", "b"}) {
    EmbedRequest request;
    request.model = name;
    request.texts = texts;
    Result<EmbedResult> result = embedder->Embed(context_, request);
    ASSERT_TRUE(result.ok()) << result.status().ToString();
    EXPECT_EQ(result->model, name);
    if (first.empty()) first = result->vectors;
    EXPECT_EQ(result->vectors, first);
  }
  EXPECT_TRUE(embedder->FindModel("b")->pinned);
  EXPECT_EQ(embedder->FindModel("b")->state, ModelState::kReady);
  EXPECT_EQ(embedder->FindModel("c")->state, ModelState::kInstalled);
  const ModelStatistics statistics = embedder->Statistics().models;
  EXPECT_EQ(statistics.models, 2u);
  EXPECT_EQ(statistics.loads, 4u);
  EXPECT_EQ(statistics.evictions, 2u);
  EXPECT_EQ(embedder->Unload(context_, "b").code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(embedder->Unload(context_, "no").code(), ErrorCode::kInvalidArgument);
  ASSERT_TRUE(embedder->Unload(context_, "a").ok());
  // Its tokenizer went with it, and is read again.
  TokenizeRequest tokenize;
  tokenize.model = "a";
  tokenize.texts = texts;
  EXPECT_TRUE(embedder->Tokenize(context_, tokenize).ok());
  EXPECT_EQ(embedder->FindModel("a")->state, ModelState::kInstalled);
}

TEST_F(EmbedderTest, KeptQueriesAreTheSameBitByBit) {
  NeedModel();
  if (IsSkipped()) return;
  std::unique_ptr<Embedder> embedder = MakeInstalled();
  EmbedderOptions options;
  options.models_dir = InstalledModels();
  options.query_cache_bytes = 0;
  std::unique_ptr<Embedder> plain = Make(options);
  const std::vector<std::string> texts = {"how is it lubricated?", "", "how often?"};
  EmbedRequest request;
  request.texts = texts;
  request.input_type = InputType::kQuery;
  Result<EmbedResult> expected = plain->Embed(context_, request);
  ASSERT_TRUE(expected.ok());
  for (int round = 0; round < 2; ++round) {
    Result<EmbedResult> result = embedder->Embed(context_, request);
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result->vectors, expected->vectors);
    EXPECT_EQ(result->tokens, expected->tokens);
  }
  EXPECT_EQ(embedder->Statistics().query_cache.hits, 3u);
  EXPECT_EQ(plain->Statistics().query_cache.vectors, 0u);
}

TEST_F(EmbedderTest, LoadsOnceForManyThreads) {
  NeedModel();
  if (IsSkipped()) return;
  std::unique_ptr<Embedder> embedder = MakeInstalled();
  std::vector<std::future<bool>> threads;
  for (int i = 0; i < 8; ++i) {
    threads.push_back(std::async(std::launch::async, [&, i] {
      bool right = true;
      for (int round = 0; round < 5; ++round) {
        Result<EmbedResult> result = Embed(*embedder, {"one", "two " + std::to_string(i)});
        right = right && result.ok() && result->vectors.size() == 2 * 384;
      }
      return right;
    }));
  }
  for (auto& thread : threads) EXPECT_TRUE(thread.get());
}

}  // namespace
}  // namespace akidb::embedding
